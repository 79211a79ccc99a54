"""A fresh machine with no key and no configuration: the real client finishes a tool loop with the demo provider."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.claude_client import ClaudeClient
from tests.support.gateway_process import GatewayProcess, free_port, gateway_command

pytestmark = pytest.mark.client


def test_the_client_works_with_the_demo_provider(executable: Path, tmp_path: Path) -> None:
    with GatewayProcess(tmp_path / "ccr", None) as gateway:
        client = ClaudeClient(executable, tmp_path / "client", gateway.base_url)

        plain = client.run("good morning to the demo")
        tool = client.run("demo: tool")

    assert plain.result.get("is_error") is False, plain.describe() + gateway.output
    assert "good morning to the demo" in plain.answer
    assert plain.thoughts
    assert tool.result.get("is_error") is False, tool.describe() + gateway.output
    assert [use["name"] for use in tool.tool_uses] in (["Bash"], ["Read"])
    assert len(tool.tool_results) == 1
    assert tool.answer


def test_ccr_code_starts_the_service_and_the_client_works_through_it(
    executable: Path, tmp_path: Path
) -> None:
    port = free_port()
    client = ClaudeClient(executable, tmp_path / "client", f"http://127.0.0.1:{port}")
    environment = {
        **{name: value for name, value in client.environment.items() if not name.startswith("ANTHROPIC_")},
        "PATH": os.pathsep.join([str(executable.parent), client.environment["PATH"]]),
        "CCR_HOME": str(tmp_path / "ccr"),
        "SERVICE_PORT": str(port),
    }

    def ccr(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*gateway_command(), *arguments],
            cwd=client.cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    try:
        worked = ccr("code", "-p", "demo: tool", "--dangerously-skip-permissions")
        refused = ccr("code", "-p", "hello", "--no-such-option-of-the-client")
    finally:
        stopped = ccr("stop")

    assert worked.returncode == 0, worked.stderr
    assert "tool answered" in worked.stdout, worked.stdout + worked.stderr
    assert refused.returncode not in {0, 127}, refused.stderr
    assert stopped.returncode == 0, stopped.stderr
