from __future__ import annotations

import pytest

from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.tool_offers import PLACEHOLDER, offered_tools, restore_names
from ccr.domain.conversation import (
    Conversation,
    FreeformTool,
    FunctionTool,
    HostedTool,
    Role,
    Text,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.stream import BlockStart, BlockStop, StreamEvent
from ccr.domain.verbatim import Json

LATER = FunctionTool("Later", deferred=True)
LONG = "x" * 70


def test_placeholder_and_unknown_tools_are_not_offered() -> None:
    tools = (FunctionTool("Read"), FunctionTool(PLACEHOLDER), LATER, FreeformTool("free"))
    given = Conversation("m", (Turn(Role.USER, (Text("hi"),)),), tools=tools)

    assert [tool.name for tool in offered_tools(given)] == ["Read", "free"]


@pytest.mark.parametrize(
    "turn",
    [
        Turn(Role.ASSISTANT, (ToolCall("c", "Later"),)),
        Turn(Role.USER, (ToolReference("Later"),)),
        Turn(Role.USER, (ToolResult("c", (Text("x"), ToolReference("Later"))),)),
    ],
)
def test_a_tool_that_has_become_known_is_offered(turn: Turn) -> None:
    tools = (LATER, FunctionTool("Other", deferred=True))

    assert offered_tools(Conversation("m", (turn,), tools=tools)) == [LATER]


def test_a_tool_that_must_be_called_is_offered() -> None:
    choice = ToolChoice(ToolMode.NAMED, "Later")

    assert offered_tools(Conversation("m", (), tools=(LATER,), tool_choice=choice)) == [LATER]


def test_names_find_their_way_back() -> None:
    hosted = HostedTool("x", "y" * 70, "d", Json(b"{}"))
    stage = restore_names(Conversation("m", (), tools=(FunctionTool(LONG), hosted)))
    assert stage is not None
    start = BlockStart(0, ToolCall("c", short_name(LONG)))
    others: list[StreamEvent] = [BlockStart(0, ToolCall("c", "Read")), BlockStart(0, Text("")), BlockStop(0)]

    assert stage.feed([start, *others]) == [BlockStart(0, ToolCall("c", LONG)), *others]
    assert restore_names(Conversation("m", (), tools=(hosted, FunctionTool("Read")))) is None
