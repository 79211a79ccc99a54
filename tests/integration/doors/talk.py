"""A conversation with a tool through the gateway, as the official client has it."""

from __future__ import annotations

from typing import Any

import anthropic

from tests.support.fake_provider import FakeProvider
from tests.support.scripts import Reply, Text, Thinking, ToolCall, by_turn, text

TOOL: Any = {
    "name": "Read",
    "description": "Reads a file",
    "input_schema": {
        "type": "object",
        "properties": {"file_path": {"type": "string"}},
        "required": ["file_path"],
    },
}
THINKING: Any = {"type": "enabled", "budget_tokens": 2048}
SCRIPT = by_turn(
    Reply(
        (
            Thinking("Let me look."),
            Text("Looking: Grüße"),
            ToolCall("Read", {"file_path": "/a", "n": [1, None]}),
        )
    ),
    text("done"),
)


def ask(base_url: str, model: str, *, stream: bool, **more: Any) -> anthropic.types.Message:
    """Ask once, without the client's own retries."""
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": 8000,
        "messages": [{"role": "user", "content": "hello"}],
        "tools": [TOOL],
        "timeout": 20,
        **more,
    }
    with anthropic.Anthropic(base_url=base_url, api_key="k", max_retries=0) as client:
        if not stream:
            found: anthropic.types.Message = client.messages.create(**asked)
            return found
        with client.messages.stream(**asked) as streamed:
            return streamed.get_final_message()


def whole_talk(
    base_url: str, model: str, upstream: FakeProvider, *, stream: bool, **more: Any
) -> list[anthropic.types.Message]:
    """Play two rounds, the second with the first one's thinking and the tool's result; check what came back."""
    upstream.restart(SCRIPT)
    first = ask(base_url, model, stream=stream, **more)
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (call.name, call.input) == ("Read", {"file_path": "/a", "n": [1, None]})
    assert first.stop_reason == "tool_use"
    assert [block.text for block in first.content if block.type == "text"] == ["Looking: Grüße"]
    assert (first.usage.input_tokens, first.usage.output_tokens) == (100, 20)
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "ok"}]},
    ]
    last = ask(base_url, model, stream=stream, messages=messages, **more)
    assert [block.text for block in last.content if block.type == "text"] == ["done"]
    assert last.stop_reason == "end_turn"
    assert upstream.rejections == []
    assert [list(seen.tool_results.values()) for seen in upstream.seen] == [[], ["ok"]]
    return [first, last]


def thoughts(message: anthropic.types.Message) -> list[str]:
    """What the model let be seen of its thinking."""
    return [block.thinking for block in message.content if block.type == "thinking"]
