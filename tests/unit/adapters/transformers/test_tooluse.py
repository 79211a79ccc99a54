from __future__ import annotations

import pytest

from ccr.adapters.transformers.tooluse import ToolUse
from ccr.domain.conversation import (
    Conversation,
    FunctionTool,
    Role,
    Text,
    ToolCall,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    ToolInputDelta,
)
from tests.support.chat import outline
from tests.support.destinations import destination

HI = Turn(Role.USER, (Text("hi"),))
DONE = MessageStop(StopReason.TOOL_USE)


@pytest.mark.parametrize(
    "choice,mode",
    [
        (None, ToolMode.REQUIRED),
        (ToolChoice(), ToolMode.REQUIRED),
        (ToolChoice(ToolMode.NAMED, "Read"), ToolMode.NAMED),
    ],
)
def test_a_call_is_required_and_there_is_a_way_out(choice: ToolChoice | None, mode: ToolMode) -> None:
    conversation = Conversation("m", (HI,), tools=(FunctionTool("Read"),), tool_choice=choice)
    asked = ToolUse().request(conversation, destination())
    assert [str(getattr(tool, "name", "")) for tool in asked.tools] == ["Read", "ExitTool"]
    assert asked.tool_choice is not None
    assert asked.tool_choice.mode is mode
    assert [turn.role for turn in asked.turns] == [Role.USER, Role.SYSTEM]


def test_without_tools_nothing_is_changed() -> None:
    conversation = Conversation("m", (HI,))
    assert ToolUse().request(conversation, destination()) is conversation


@pytest.mark.parametrize(
    "tool,choice", [("Read", ToolChoice(ToolMode.NONE)), ("ExitTool", ToolChoice(ToolMode.AUTO))]
)
def test_where_no_tool_may_be_called_or_one_has_its_name_nothing_is_changed(
    tool: str, choice: ToolChoice
) -> None:
    conversation = Conversation("m", (HI,), tools=(FunctionTool(tool),), tool_choice=choice)

    assert ToolUse().request(conversation, destination()) is conversation
    assert ToolUse().stage_for(conversation, destination()) is None


def call(index: int, name: str, *pieces: str) -> list[StreamEvent]:
    return [
        BlockStart(index, ToolCall(f"t{index}", name, "")),
        *map(ToolInputDelta, pieces),
        BlockStop(index),
    ]


def staged(*events: StreamEvent) -> list[str]:
    asked = ToolUse().request(Conversation("m", (HI,), tools=(FunctionTool("Read"),)), destination())
    stage = ToolUse().stage_for(asked, destination())
    assert stage is not None
    got = [out for event in (MessageStart("i", "m"), *events) for out in stage.feed([event])]
    StreamGrammar().check(got)
    return outline(got)


def test_the_way_out_becomes_text() -> None:
    assert staged(*call(0, "ExitTool", '{"respon', 'se":"bye"}'), DONE) == ["text:bye", "end_turn"]


def test_beside_another_call_it_is_still_tool_use() -> None:
    events: list[StreamEvent] = [*call(0, "Read", "{}"), *call(1, "ExitTool", '{"response":""}'), DONE]
    assert staged(*events) == ["tool:t0:Read:{}", "text:", "tool_use"]


def test_other_calls_pass() -> None:
    assert staged(*call(0, "Read", "{}"), DONE) == ["tool:t0:Read:{}", "tool_use"]


@pytest.mark.parametrize("text", ["plain words", '{"answer":"x"}'])
def test_an_answer_of_another_form_is_shown_as_it_came(text: str) -> None:
    assert staged(*call(0, "ExitTool", text), DONE) == [f"text:{text}", "end_turn"]


def test_a_failure_loses_nothing() -> None:
    failed = StreamFailed(UpstreamProtocolError("cut"))
    events: list[StreamEvent] = [BlockStart(0, ToolCall("t", "ExitTool", "")), ToolInputDelta("half"), failed]
    assert staged(*events) == ["text:half", "failed:upstream_protocol"]
