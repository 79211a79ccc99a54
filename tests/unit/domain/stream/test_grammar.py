from __future__ import annotations

from typing import get_args

import pytest

from ccr.domain.conversation import Image, Inline, ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.conversation.citations import Citation
from ccr.domain.errors import InternalError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    GRAMMAR,
    BlockStart,
    BlockStop,
    CitationDelta,
    GrammarError,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    StreamPhase,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage

START = MessageStart("m", "model")
STOP = MessageStop(StopReason.END_TURN)
SEAL = SealDelta(Seal(Origin("anthropic"), "signature", "s"))


def test_a_reply_with_every_kind_of_block_is_legal() -> None:
    grammar = StreamGrammar()

    grammar.check(
        [
            START,
            UsageUpdate(Usage(input_uncached=1)),
            BlockStart(0, Thinking("")),
            ThinkingDelta("hm"),
            SEAL,
            BlockStop(0),
            BlockStart(1, Text("")),
            TextDelta("a"),
            CitationDelta(Citation("url")),
            BlockStop(1),
            BlockStart(2, ToolCall("t", "Read", "")),
            ToolInputDelta("{}"),
            SEAL,
            BlockStop(2),
            BlockStart(3, ServerToolCall("s", "web_search", "")),
            ToolInputDelta("{}"),
            BlockStop(3),
            BlockStart(4, Image(Inline("image/png", "AA=="))),
            BlockStop(4),
            STOP,
        ]
    )

    assert grammar.ended
    assert grammar.phase is StreamPhase.DONE


@pytest.mark.parametrize("before", [[], [START], [START, BlockStart(0, Text(""))]])
def test_a_stream_may_fail_anywhere_but_after_its_end(before: list[StreamEvent]) -> None:
    grammar = StreamGrammar()
    grammar.check([*before, StreamFailed(InternalError("x"))])

    assert grammar.ended
    with pytest.raises(GrammarError):
        grammar.check([StreamFailed(InternalError("x"))])


@pytest.mark.parametrize(
    "events",
    [
        [TextDelta("a")],
        [START, START],
        [START, TextDelta("a")],
        [START, BlockStart(1, Text(""))],
        [START, BlockStart(0, Text("")), BlockStart(1, Text(""))],
        [START, BlockStart(0, Text("")), BlockStop(1)],
        [START, BlockStart(0, Text("")), ThinkingDelta("a")],
        [START, BlockStart(0, Image(Inline("image/png", ""))), TextDelta("a")],
        [START, BlockStart(0, Text("")), STOP],
        [START, STOP, UsageUpdate(Usage())],
    ],
)
def test_illegal_orders_are_caught(events: list[StreamEvent]) -> None:
    with pytest.raises(GrammarError):
        StreamGrammar().check(events)


def test_the_table_knows_every_event_but_block_starts() -> None:
    """BlockStart depends on its block and is written out in the one method."""
    known = {kind for _, kind in GRAMMAR}

    assert set(get_args(StreamEvent)) - {BlockStart} == known


def test_complete_blocks_are_counted() -> None:
    grammar = StreamGrammar()
    grammar.check([MessageStart("i", "m"), BlockStart(0, Text(""))])
    assert grammar.blocks == 0
    grammar.check([BlockStop(0)])
    assert grammar.blocks == 1
