"""The real Claude Code client, headless: `claude -p` in a fresh home, its stream-json read back.

Nothing is installed here: `make client` puts the pinned package under ``tests/integration/claude_code``, and
``tests.support.parts.require_client`` finds it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from attrs import frozen

Json = dict[str, Any]


@frozen
class ClientRun:
    """What one `claude -p` said. `seconds` is wall clock; `result` the last message of type result."""

    exit_code: int
    seconds: float
    messages: list[Json]
    stderr: str

    @property
    def result(self) -> Json:
        found = [message for message in self.messages if message.get("type") == "result"]
        return found[-1] if found else {}

    @property
    def answer(self) -> str:
        return str(self.result.get("result", ""))

    @property
    def session(self) -> str:
        return str(self.result.get("session_id", ""))

    @property
    def tool_uses(self) -> list[Json]:
        """Tool calls as the client understood them, sub-agents' included."""
        return [block for block in self._blocks("assistant") if block.get("type") == "tool_use"]

    @property
    def tool_results(self) -> list[Json]:
        return [block for block in self._blocks("user") if block.get("type") == "tool_result"]

    @property
    def thoughts(self) -> list[str]:
        return [str(b.get("thinking", "")) for b in self._blocks("assistant") if b.get("type") == "thinking"]

    def _blocks(self, kind: str) -> Iterator[Json]:
        for message in self.messages:
            content = message.get("message", {}).get("content") if message.get("type") == kind else None
            if isinstance(content, list):
                yield from content

    def describe(self) -> str:
        """Evidence for a failed assertion."""
        kinds = [f"{message.get('type')}:{message.get('subtype', '')}" for message in self.messages]
        return (
            f"exit {self.exit_code} after {self.seconds:.1f} s\nmessages {kinds}\nresult {self.result}\n"
            f"stderr {self.stderr[-2000:]}"
        )


class ClaudeClient:
    """A client with a home and a working directory of its own, pointed at `base_url`.

    Runs share home and directory, so that `--continue` finds the last conversation.
    """

    def __init__(self, executable: Path, root: Path, base_url: str, *, token: str = "test-token") -> None:
        self.executable = executable
        self.home = root / "home"
        self.cwd = root / "work"
        self.home.mkdir(parents=True, exist_ok=True)
        self.cwd.mkdir(parents=True, exist_ok=True)
        self.environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "NO_PROXY": "127.0.0.1,localhost",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "IS_SANDBOX": "1",  # lets root skip the permission questions
            "ANTHROPIC_BASE_URL": base_url,
            "ANTHROPIC_AUTH_TOKEN": token,
        }

    def run(self, prompt: str, *arguments: str, timeout: float = 60.0, **variables: str) -> ClientRun:
        """Run one headless prompt without permission questions.

        Args:
            prompt: what the person types.
            arguments: more options of the client; `--permission-mode` replaces the skipping of questions.
            timeout: seconds until the client is killed and TimeoutError raised.
            variables: more environment variables.
        """
        command = [str(self.executable), "-p", prompt, "--output-format", "stream-json", "--verbose"]
        if "--permission-mode" not in arguments:
            command.append("--dangerously-skip-permissions")
        command += arguments
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=self.cwd,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            out, err = process.communicate()
            tail = out[-2000:].decode("utf-8", "replace")
            raise TimeoutError(f"the client did not end within {timeout} s; last output: {tail}") from None
        return ClientRun(
            process.returncode, time.monotonic() - started, list(_lines(out)), err.decode("utf-8", "replace")
        )


def _lines(out: bytes) -> Iterator[Json]:
    for line in out.splitlines():
        if line.startswith(b"{"):
            yield msgspec.json.decode(line)
