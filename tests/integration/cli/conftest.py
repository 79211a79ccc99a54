"""The installed `ccr` with a home of its own, and whatever it started ended afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway_process import free_port, gateway_command

_FAKE_CLAUDE = f"""#!{sys.executable}
import json, os, sys
with open(os.environ["DUMP"], "w") as file:
    json.dump({{"argv": sys.argv[1:], "env": dict(os.environ), "cwd": os.getcwd(),
                "stdin": sys.stdin.read() if not sys.stdin.isatty() else None}}, file)
sys.exit(int(os.environ.get("FAKE_EXIT", "0")))
"""


class Home:
    """An empty HOME with a free port, and the ways to run `ccr` in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.ccr_home = folder / ".claude-code-router"
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        self.environment = {
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "SERVICE_PORT": str(self.port),
            "COLUMNS": "200",
            **{name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")},
        }

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid_file(self) -> Path:
        return self.ccr_home / "state" / "ccr.pid"

    def configure(self, config: Mapping[str, Any] | str) -> Path:
        self.ccr_home.mkdir(exist_ok=True)
        path = self.ccr_home / "config.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config), "utf-8")
        return path

    def run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        input: str | None = None,  # noqa: A002 - as subprocess calls it
        seconds: float = 60,
        cwd: Path | None = None,
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*gateway_command(), *words],
            env={**self.environment, **(env or {})},
            cwd=cwd or self.folder,
            input=input if input is not None else "",
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert "Traceback" not in done.stdout + done.stderr, done.stdout + done.stderr
        return done

    def begin(self, *words: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*gateway_command(), *words],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )

    def json(self, *words: str) -> Any:
        return json.loads(self.run(*words, "--json").stdout)

    def fake_claude(self) -> Path:
        """A `claude` on PATH that writes what it was given into a file; its path."""
        claude = self.bin / "claude"
        claude.write_text(_FAKE_CLAUDE)
        claude.chmod(0o755)
        dump = self.folder / "dump.json"
        self.environment["DUMP"] = str(dump)
        return dump

    def close(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            pid = int(self.pid_file.read_text())
            os.kill(pid, signal.SIGTERM)
            time.sleep(0.05)
            os.kill(pid, signal.SIGTERM)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    made = Home(tmp_path / "home")
    yield made
    made.close()
