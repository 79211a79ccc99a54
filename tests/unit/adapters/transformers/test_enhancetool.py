from __future__ import annotations

import pytest

from ccr.adapters.transformers.enhancetool import EnhanceTool
from ccr.domain.conversation import Text, ToolCall
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
    TextDelta,
    ToolInputDelta,
)
from tests.support.destinations import destination

START: list[StreamEvent] = [
    MessageStart("i", "m"),
    BlockStart(0, Text("")),
    TextDelta("t"),
    BlockStop(0),
    BlockStart(1, ToolCall("a", "f", "")),
]


def staged(*events: StreamEvent) -> list[StreamEvent]:
    """Each event as its own batch."""
    stage = EnhanceTool().stage(destination())
    got = [out for event in (*START, *events) for out in stage.feed([event])]
    StreamGrammar().check(got)
    assert got[:5] == START
    return got[5:]


@pytest.mark.parametrize(
    "pieces,whole",
    [
        (["{'a'", ":1}"], "{'a':1}"),
        (['{"a":', "1,}"], '{"a":1}'),
        ([], "{}"),
        (['{"cut": "of'], '{"cut": "of'),
    ],
)
def test_input_comes_whole_and_mended_where_that_is_certain(pieces: list[str], whole: str) -> None:
    end: list[StreamEvent] = [BlockStop(1), MessageStop(StopReason.TOOL_USE)]
    assert [ToolInputDelta(whole), *end] == staged(*map(ToolInputDelta, pieces), *end)


def test_input_of_a_failed_reply_is_not_lost() -> None:
    failed = StreamFailed(UpstreamProtocolError("cut"))
    assert [ToolInputDelta('{"a'), failed] == staged(ToolInputDelta('{"a'), failed)
