"""A fresh machine with no key and no configuration: the real client finishes a tool loop with the demo provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.claude_client import ClaudeClient
from tests.support.gateway_process import GatewayProcess

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
