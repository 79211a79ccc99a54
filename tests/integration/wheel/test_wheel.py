"""The wheel as people get it: built, installed into a fresh environment, started."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

import ccr

ROOT = Path(__file__).parents[3]


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, ROOT, cwd=out)
    (built,) = out.glob("ccr-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the wheel. Its dependencies are those of this one, lent by a .pth file: they were
    installed from the hashed lock, and nothing is downloaded. Our own editable install is hidden by the installed wheel.
    """
    where = tmp_path_factory.mktemp("fresh")
    run(sys.executable, "-m", "venv", where / "venv", cwd=where)
    python = where / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", wheel, cwd=where)
    site = Path(
        run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=where).strip()
    )
    (site / "lent.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return where


def test_the_wheel_has_code_data_and_licence_and_no_code_that_runs_at_start(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {
        "ccr/__init__.py",
        "ccr/py.typed",
        "ccr/adapters/providers/demo.toml",
        "ccr/adapters/tokens/cl100k_base.bin",
        "ccr/adapters/config/config.schema.json",
    } <= set(names)
    assert any(name.endswith("LICENSE") for name in names)
    assert not [
        name for name in names if name.endswith(".pth") or name.startswith(("tests", "tools", "bench"))
    ]


def test_the_installed_command_runs_from_the_wheel(environment: Path) -> None:
    bin_ = environment / "venv" / "bin"
    home = run(bin_ / "python", "-c", "import ccr; print(ccr.__file__)", cwd=environment)

    assert str(environment) in home
    assert ccr.__version__ in run(bin_ / "ccr", "version", cwd=environment)


def test_the_installed_gateway_answers(environment: Path) -> None:
    code = (
        "import asyncio\n"
        "from ccr import Conversation, Role, Text, Turn, fold, open_gateway\n"
        "async def main():\n"
        "    async with open_gateway({'LOG': False, 'Router': {'default': 'demo,demo'}}) as gateway:\n"
        "        said = Conversation(model='demo,demo', turns=(Turn(Role.USER, (Text('Hello'),)),))\n"
        "        return fold([event async for event in gateway.converse(said)])\n"
        "print(asyncio.run(main()).blocks[0].text)\n"
    )

    assert run(environment / "venv" / "bin" / "python", "-c", code, cwd=environment) == "You said: Hello\n"
