"""The wheel is whole: built, installed into a fresh environment, and run from there."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.parts import in_ci

ROOT = Path(__file__).resolve().parents[3]


def supply() -> ModuleType:
    """The tool that `make audit` runs."""
    spec = importlib.util.spec_from_file_location("tools_supply", ROOT / "tools/supply.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build without isolation: the locked build requirements are in the environment that runs this."""
    target = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(target), str(ROOT)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
    return next(target.glob("ccr-*.whl"))


@pytest.fixture(scope="module")
def home(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel; its dependencies are those of the running environment, lent by a path."""
    place = tmp_path_factory.mktemp("venv")
    venv.create(place, with_pip=True)
    python = place / "bin" / "python"
    installed = subprocess.run(
        [python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", str(wheel)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert installed.returncode == 0, installed.stderr[-2000:]
    packages = next((place / "lib").glob("python*/site-packages"))
    lent = [path for path in sys.path if path.endswith("site-packages")]
    (packages / "lent.pth").write_text("\n".join(lent) + "\n")
    return place


def run(home: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the installed ``ccr`` from somewhere else, with an empty home."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CCR_HOME": str(tmp_path / "ccr")}
    return subprocess.run(
        [home / "bin" / "ccr", *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env=environment,
        timeout=60,
    )


def test_everything_that_is_read_at_run_time_is_in_the_wheel(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    for needed in (
        "ccr/py.typed",
        "ccr/adapters/tokens/cl100k_base.bin",
        "ccr/adapters/config/config.schema.json",
        "ccr/adapters/config/first_config.json5",
        "ccr/adapters/providers/demo.toml",
    ):
        assert needed in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert supply().strange_in_wheel(names) == []
    entry_points = zipfile.ZipFile(wheel).read("ccr-0.1.0.dist-info/entry_points.txt").decode()
    assert entry_points.split("\n")[:2] == ["[console_scripts]", "ccr = ccr.entrypoints.cli.main:main"]
    assert "[" not in entry_points[1:]


@pytest.mark.slow
def test_a_release_installs_from_the_lock_alone_and_runs_nothing_at_start(
    wheel: Path, tmp_path: Path
) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / "bin" / "python"
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", "install", "--no-deps"]
    locked = subprocess.run(
        [
            *pip,
            "--only-binary",
            ":all:",
            "--require-hashes",
            "-r",
            str(ROOT / "requirements" / "runtime.txt"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if locked.returncode and "hash" not in locked.stderr.lower() and not in_ci():
        pytest.skip(f"the package index cannot be reached: {locked.stderr.strip()[-200:]}")
    assert locked.returncode == 0, locked.stderr[-2000:]
    subprocess.run([*pip, "--no-index", str(wheel)], check=True)
    packages = next((tmp_path / "venv" / "lib").glob("python*/site-packages"))

    assert supply().strange_at_start(packages) == []
    assert run(tmp_path / "venv", tmp_path, "version").returncode == 0
    check = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    assert check.returncode == 0, check.stdout


def test_the_installed_command_runs_and_is_the_installed_one(home: Path, tmp_path: Path) -> None:
    version = run(home, tmp_path, "version", "--json")
    where = subprocess.run(
        [home / "bin" / "python", "-c", "import ccr; print(ccr.__file__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )

    assert version.returncode == 0, version.stderr
    assert "0.1.0" in version.stdout
    assert where.stdout.startswith(str(home))


def test_the_installed_gateway_answers(home: Path, tmp_path: Path) -> None:
    assert run(home, tmp_path, "init").returncode == 0
    asked = tmp_path / "request.json"
    asked.write_text('{"model": "x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}')
    explained = run(home, tmp_path, "route", "explain", str(asked))

    assert explained.returncode == 0, explained.stderr
    assert "demo,demo" in explained.stdout
