"""The wheel is whole: built, installed into a fresh environment, and run from there."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


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
    assert not [
        name for name in names if name.startswith(("tests/", "bench/", "tools/")) or name.endswith(".pth")
    ]


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
