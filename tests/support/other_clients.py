"""Codex and Gemini CLI, the real ones, headless, in a home of their own."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from attrs import frozen

from tests.support.parts import require

__all__ = ["Said", "codex", "gemini_cli"]

_BIN = Path(__file__).resolve().parents[1] / "integration/other_clients/node_modules/.bin"
_CODEX = """\
model = "{model}"
model_provider = "ccr"
[model_providers.ccr]
name = "ccr"
base_url = "{base_url}/v1"
env_key = "CCR_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
_GEMINI = (
    '{"security": {"auth": {"selectedType": "gemini-api-key"}}, "privacy": {"usageStatisticsEnabled": false}, '
    '"telemetry": {"enabled": false}, "general": {"disableAutoUpdate": true}}'
)


@frozen
class Said:
    """What a run left: its exit code and both outputs."""

    code: int
    out: str
    err: str

    def describe(self) -> str:
        """Evidence for a failed assertion."""
        return f"exit {self.code}\nout {self.out[-2000:]}\nerr {self.err[-3000:]}"


def _program(name: str) -> str:
    path = _BIN / name
    return str(require(path if path.exists() else None, name, "run `make client` (needs npm)"))


def codex(root: Path, base_url: str, model: str, prompt: str) -> Said:
    """`codex exec`, which may run commands."""
    home = root / "home"
    (home / ".codex").mkdir(parents=True, exist_ok=True)
    text = _CODEX.format(model=model, base_url=base_url)
    (home / ".codex/config.toml").write_text(text, "utf-8")
    command = [
        _program("codex"),
        "exec",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
        prompt,
    ]
    return _run(command, root, CODEX_HOME=str(home / ".codex"), CCR_KEY="k")


def gemini_cli(root: Path, base_url: str, model: str, prompt: str) -> Said:
    """`gemini -p`, which may use any tool."""
    settings = root / "home/.gemini/settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(_GEMINI, "utf-8")
    command = [_program("gemini"), "-p", prompt, "-m", model, "--skip-trust", "--approval-mode", "yolo"]
    return _run(command, root, GEMINI_API_KEY="k", GOOGLE_GEMINI_BASE_URL=base_url)


def _run(command: list[str], root: Path, *, seconds: float = 60.0, **variables: str) -> Said:
    work = root / "work"
    work.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        command,
        cwd=work,
        env={
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(root / "home"),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_PROXY": "127.0.0.1,localhost",
            **variables,
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        out, err = process.communicate()
    return Said(process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
