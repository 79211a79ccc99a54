from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.messages import Losses
from ccr.adapters.dialects.openai_chat.tools import choose, offered, restore_names
from ccr.domain.conversation import (
    Conversation,
    FreeformTool,
    FunctionTool,
    HostedTool,
    Role,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.models import ModelProfile
from ccr.domain.stream import BlockStart, BlockStop, StreamEvent, TextDelta
from ccr.domain.verbatim import Json

PLAIN = ModelProfile()
READ = FunctionTool("Read")
LATE = FunctionTool("Late", deferred=True)
LONG = "mcp__" + "x" * 80


def talk(*tools: Tool, turns: tuple[Turn, ...] = (), choice: ToolChoice | None = None) -> Conversation:
    return Conversation(model="m", turns=turns, tools=tools, tool_choice=choice)


def names(conversation: Conversation) -> list[str]:
    return [tool.name for tool in offered(conversation, {})]


def test_deferred_tools_are_left_out_until_they_are_known() -> None:
    placeholder = FunctionTool("DeferredToolPlaceholder", deferred=True)
    assert names(talk(READ, placeholder, LATE, LATE)) == ["Read"]


@pytest.mark.parametrize(
    "turn",
    [
        Turn(Role.USER, (ToolResult("t", (Text("x"), ToolReference("Late"))),)),
        Turn(Role.USER, (ToolReference("Late"),)),
        Turn(Role.ASSISTANT, (Text("x"), ToolCall("t", "Late"))),
    ],
)
def test_deferred_tools_that_have_become_known_are_offered(turn: Turn) -> None:
    assert names(talk(READ, LATE, turns=(turn,))) == ["Read", "Late"]


def test_a_deferred_tool_that_must_be_called_is_offered() -> None:
    assert names(talk(LATE, choice=ToolChoice(ToolMode.NAMED, "Late"))) == ["Late"]


def test_tools_of_other_kinds_are_losses() -> None:
    losses: Losses = {}
    hosted = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"))
    assert offered(talk(hosted, FreeformTool("patch")), losses) == []
    assert list(map(str, losses)) == ["hosted_tool=dropped", "freeform_tool=dropped"]


def chosen(choice: ToolChoice | None, profile: ModelProfile = PLAIN, *tools: FunctionTool) -> Any:
    losses: Losses = {}
    fields, said = choose(choice, tools or (READ, FunctionTool(LONG)), profile, losses)
    return fields, said, list(map(str, losses))


def test_nothing_said_is_nothing_sent() -> None:
    assert chosen(None) == ({}, None, [])
    assert choose(ToolChoice(ToolMode.REQUIRED), [], PLAIN, {}) == ({}, None)


@pytest.mark.parametrize(
    "mode, sent", [(ToolMode.AUTO, "auto"), (ToolMode.NONE, "none"), (ToolMode.REQUIRED, "required")]
)
def test_modes(mode: ToolMode, sent: str) -> None:
    assert ({"tool_choice": sent}, None, []) == chosen(ToolChoice(mode))


def test_a_named_tool_goes_by_its_short_name() -> None:
    fields, said, losses = chosen(ToolChoice(ToolMode.NAMED, LONG))
    assert len(fields["tool_choice"]["function"]["name"]) == 64
    assert (said, losses) == (None, [])


def test_a_named_tool_that_is_not_offered() -> None:
    assert chosen(ToolChoice(ToolMode.NAMED, "Nope")) == ({"tool_choice": "auto"}, None, ["tool_choice=auto"])


def test_no_choice_may_be_forced() -> None:
    profile = ModelProfile(tool_choice_required=False)
    fields, said, losses = chosen(ToolChoice(ToolMode.REQUIRED), profile)
    text = "In your next message you must call at least one of the tools."
    assert (fields, losses) == ({"tool_choice": "auto"}, ["tool_choice=as text"])
    assert {"role": "system", "content": text} == said
    folded = ModelProfile(tool_choice_required=False, system_in_turns=False)
    _, said, _ = chosen(ToolChoice(ToolMode.NAMED, "Read"), folded)
    assert said["role"] == "user"
    assert "you must call the tool Read." in said["content"]


def test_the_instruction_stands_last() -> None:
    conversation = Conversation(
        model="m",
        turns=(Turn(Role.USER, (Text("hi"),)),),
        tools=(READ,),
        tool_choice=ToolChoice(ToolMode.REQUIRED),
    )
    encoded = OpenAIChatProvider().write_request(
        conversation, ModelProfile(tool_choice_required=False), is_anthropic=False
    )
    parsed: Any = encoded.payload.parsed("messages")
    assert parsed[-1]["role"] == "system"


def test_one_call_at_a_time() -> None:
    once = ToolChoice(parallel=False)
    assert chosen(once)[0] == {"tool_choice": "auto", "parallel_tool_calls": False}
    profile = ModelProfile(parallel_tools=False)
    assert chosen(once, profile) == ({"tool_choice": "auto"}, None, ["parallel_tools=dropped"])


def test_names_come_back_as_the_caller_knows_them() -> None:
    provider = OpenAIChatProvider()
    conversation = talk(READ, FunctionTool(LONG))
    stage = provider.reply_stage(conversation, PLAIN)
    assert stage is not None
    encoded: Any = provider.write_request(conversation, PLAIN, is_anthropic=False).payload.parsed("tools")
    short = encoded[1]["function"]["name"]
    events: list[StreamEvent] = [
        BlockStart(0, ToolCall("a", short, "")),
        BlockStop(0),
        BlockStart(1, ToolCall("b", "Read", "")),
        BlockStop(1),
        BlockStart(2, Text("")),
        TextDelta(short),
    ]
    assert [BlockStart(0, ToolCall("a", LONG, "")), *events[1:]] == list(stage.feed(events))


def test_there_is_no_stage_where_no_name_was_changed() -> None:
    assert restore_names(talk(READ)) is None
