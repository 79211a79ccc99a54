from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.parts import Losses
from ccr.adapters.dialects.openai_chat.tools import choose, offered
from ccr.adapters.wire.tool_offers import restore_names
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
    return [tool.name for tool in offered(conversation, PLAIN, {})[0]]


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


def test_hosted_tools_are_not_functions_and_freeform_tools_become_some() -> None:
    losses: Losses = {}
    hosted = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"))
    functions, others = offered(talk(hosted, FreeformTool("patch", "Edit")), PLAIN, losses)

    assert others == [hosted]
    assert (functions[0].name, functions[0].description) == ("patch", "Edit")
    assert b'"input":{"type":"string"}' in functions[0].schema.data
    assert list(map(str, losses)) == ["freeform_tool=as function"]


@pytest.mark.parametrize(
    "grammar",
    [
        b'{"type":"grammar","grammar":{"syntax":"lark","definition":"start: A"}}',
        b'{"type":"grammar","syntax":"lark","definition":"start: A"}',
    ],
)
def test_a_grammar_can_be_read_by_the_model(grammar: bytes) -> None:
    functions, _ = offered(talk(FreeformTool("patch", "Edit", Json(grammar))), PLAIN, {})

    assert functions[0].description == "Edit\n\nThe input must follow this grammar:\nstart: A"


def test_of_too_many_tools_the_last_are_left_out_but_not_the_one_that_must_be_called() -> None:
    losses: Losses = {}
    tools = [FunctionTool(name) for name in "abcde"]
    profile = ModelProfile(max_tools=3)

    assert [tool.name for tool in offered(talk(*tools), profile, losses)[0]] == ["a", "b", "c"]
    assert list(map(str, losses)) == ["tools=first 3"]
    named = talk(*tools, choice=ToolChoice(ToolMode.NAMED, "e"))
    assert [tool.name for tool in offered(named, profile, {})[0]] == ["a", "b", "e"]


def chosen(choice: ToolChoice | None, profile: ModelProfile = PLAIN, *tools: FunctionTool) -> Any:
    losses: Losses = {}
    fields, said = choose(choice, tools or (READ, FunctionTool(LONG)), profile, losses)
    return fields, said, list(map(str, losses))


def test_nothing_said_is_nothing_sent() -> None:
    assert chosen(None) == ({}, "", [])
    assert choose(ToolChoice(ToolMode.REQUIRED), [], PLAIN, {}) == ({}, "")


@pytest.mark.parametrize(
    "mode, sent", [(ToolMode.AUTO, "auto"), (ToolMode.NONE, "none"), (ToolMode.REQUIRED, "required")]
)
def test_modes(mode: ToolMode, sent: str) -> None:
    assert ({"tool_choice": sent}, "", []) == chosen(ToolChoice(mode))


def test_a_named_tool_goes_by_its_short_name() -> None:
    fields, said, losses = chosen(ToolChoice(ToolMode.NAMED, LONG))
    assert len(fields["tool_choice"]["function"]["name"]) == 64
    assert (said, losses) == ("", [])


def test_a_named_tool_that_is_not_offered() -> None:
    assert chosen(ToolChoice(ToolMode.NAMED, "Nope")) == ({"tool_choice": "auto"}, "", ["tool_choice=auto"])


def test_no_choice_may_be_forced() -> None:
    profile = ModelProfile(tool_choice_required=False)
    fields, line, losses = chosen(ToolChoice(ToolMode.REQUIRED), profile)
    assert (fields, losses) == ({"tool_choice": "auto"}, ["tool_choice=as text"])
    assert line == "In your next message you must call at least one of the tools."
    _, line, _ = chosen(ToolChoice(ToolMode.NAMED, "Read"), profile)
    assert line == "In your next message you must call the tool Read."


def test_no_choice_may_be_forced_while_it_thinks() -> None:
    profile = ModelProfile(tool_choice_with_reasoning=False)
    must = ToolChoice(ToolMode.REQUIRED)

    assert chosen(must, profile)[0] == {"tool_choice": "required"}
    fields, line = choose(must, [READ], profile, {}, thinking=True)
    assert fields == {"tool_choice": "auto"}
    assert line


def test_a_provider_has_its_own_word_for_required() -> None:
    assert chosen(ToolChoice(ToolMode.REQUIRED), ModelProfile(tool_choice_word="any"))[0] == {
        "tool_choice": "any"
    }


def test_the_instruction_stands_at_the_end_of_the_system_where_it_does_not_move() -> None:
    def written(*turns: Turn, system: tuple[Text, ...] = (Text("S"),)) -> Any:
        conversation = Conversation(
            model="m",
            system=system,
            turns=(Turn(Role.USER, (Text("hi"),)), *turns),
            tools=(READ,),
            tool_choice=ToolChoice(ToolMode.REQUIRED),
        )
        profile = ModelProfile(tool_choice_required=False)
        encoded = OpenAIChatProvider().write_request(conversation, profile, is_anthropic=False)
        return encoded.payload.parsed("messages")

    line = "In your next message you must call at least one of the tools."
    short = written()
    long = written(Turn(Role.ASSISTANT, (Text("yes"),)), Turn(Role.USER, (Text("go on"),)))
    assert short[0] == {"role": "system", "content": f"S\n\n{line}"}
    assert long[: len(short)] == short
    assert written(system=())[0] == {"role": "system", "content": line}


def test_one_call_at_a_time() -> None:
    once = ToolChoice(parallel=False)
    assert chosen(once)[0] == {"tool_choice": "auto", "parallel_tool_calls": False}
    profile = ModelProfile(parallel_tools=False)
    assert chosen(once, profile) == ({"tool_choice": "auto"}, "", ["parallel_tools=dropped"])


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
