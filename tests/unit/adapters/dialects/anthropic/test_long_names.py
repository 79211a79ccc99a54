"""Names and ids that only Anthropic takes: cut for who merely speaks like it, and given back in the reply."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic import AnthropicProvider
from ccr.adapters.wire.names import short_name
from ccr.domain.conversation import (
    Conversation,
    FreeformTool,
    FunctionTool,
    Role,
    Text,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.models import ModelProfile
from ccr.domain.stream import BlockStart, StreamEvent, TextDelta

LONG = "mcp__a_server_with_a_name__" + "and_a_tool_with_a_long_one_" * 2
SHORT = short_name(LONG)
ODD = "functions.Read:0"
TALK = Conversation(
    "m",
    (
        Turn(Role.USER, (Text("x"),)),
        Turn(Role.ASSISTANT, (ToolCall(ODD, LONG), ToolCall("toolu_1", "Read"))),
        Turn(Role.USER, (ToolResult(ODD, (ToolReference(LONG),)), ToolResult("toolu_1"))),
    ),
    tools=(FunctionTool(LONG), FunctionTool("Read"), FreeformTool(f"{LONG}!")),
)


def written(choice: ToolChoice | None = None, *, is_anthropic: bool = False) -> dict[str, Any]:
    talk = Conversation(TALK.model, TALK.turns, tools=TALK.tools, tool_choice=choice)
    payload = AnthropicProvider().write_request(talk, ModelProfile(), is_anthropic=is_anthropic).payload
    body: dict[str, Any] = json.loads(payload.encode())
    return body


def test_others_than_anthropic_get_names_and_ids_that_everybody_takes() -> None:
    body = written()
    _, calls, results = [message["content"] for message in body["messages"]]

    assert [tool["name"] for tool in body["tools"]] == [SHORT, "Read", short_name(f"{LONG}!")]
    assert [(call["id"], call["name"]) for call in calls] == [(short_name(ODD), SHORT), ("toolu_1", "Read")]
    assert [result["tool_use_id"] for result in results] == [short_name(ODD), "toolu_1"]
    assert results[0]["content"] == [{"type": "text", "text": f"Tool available: {SHORT}"}]
    assert max(map(len, (SHORT, short_name(f"{LONG}!"), short_name(ODD)))) == 64


def test_anthropic_gets_the_names_that_it_takes() -> None:
    odd = short_name(f"{LONG}!")
    assert [tool["name"] for tool in written(is_anthropic=True)["tools"]] == [LONG, "Read", odd]


@pytest.mark.parametrize(
    "name, is_anthropic, wire",
    [
        (LONG, False, {"type": "tool", "name": SHORT}),
        (LONG, True, {"type": "tool", "name": LONG}),
        ("Read", False, {"type": "tool", "name": "Read"}),
        ("Write", False, {"type": "auto"}),
        (None, False, {"type": "auto"}),
    ],
)
def test_a_choice_names_a_tool_as_it_is_declared(
    name: str | None, is_anthropic: bool, wire: dict[str, str]
) -> None:
    choice = ToolChoice(ToolMode.NAMED, name)

    assert written(choice, is_anthropic=is_anthropic)["tool_choice"] == wire


def test_a_reply_has_the_callers_names_again() -> None:
    stage = AnthropicProvider().reply_stage(TALK, ModelProfile())
    assert stage is not None

    events: list[StreamEvent] = [
        BlockStart(0, ToolCall("toolu_2", SHORT)),
        TextDelta("x"),
        BlockStart(1, ToolCall("t", "Read")),
    ]
    assert list(stage.feed(events)) == [BlockStart(0, ToolCall("toolu_2", LONG)), *events[1:]]


def test_without_a_long_name_there_is_nothing_to_give_back() -> None:
    talk = Conversation("m", (), tools=(FunctionTool("Read"),))

    assert AnthropicProvider().reply_stage(talk, ModelProfile()) is None
