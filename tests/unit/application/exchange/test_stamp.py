from __future__ import annotations

from attrs import evolve

from ccr.application.exchange.stamp import Stamp
from ccr.domain.conversation import ServerToolResult, Text, Thinking, ToolCall
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import BlockStart, SealDelta, TextDelta
from ccr.domain.verbatim import Json

MAKER = Origin("gemini", "google", "g-3")
BARE, STAMPED = Seal(Origin("gemini"), "call", "d"), Seal(MAKER, "call", "d")


def test_seals_say_who_made_them_wherever_they_stand() -> None:
    stamp = Stamp(MAKER)

    assert stamp.feed([SealDelta(BARE)]) == [SealDelta(STAMPED)]
    assert stamp.feed([BlockStart(0, ToolCall("c", "n", seal=BARE))]) == [
        BlockStart(0, ToolCall("c", "n", seal=STAMPED))
    ]
    assert stamp.feed([BlockStart(0, Thinking("", BARE)), TextDelta("x")]) == [
        BlockStart(0, Thinking("", STAMPED)),
        TextDelta("x"),
    ]


def test_results_of_a_search_say_whose_they_are() -> None:
    results = ServerToolResult("c", "web_search_tool_result", Json(b"[]"), "gemini")
    ours = evolve(results, dialect="")

    assert Stamp(MAKER).feed([BlockStart(0, results), BlockStart(1, ours)]) == [
        BlockStart(0, evolve(results, dialect="gemini@google")),
        BlockStart(1, ours),
    ]


def test_everything_else_passes() -> None:
    events = [TextDelta("x")]
    opened = [BlockStart(0, Text("")), BlockStart(1, ToolCall("c", "n"))]

    assert Stamp(MAKER).feed(events) is events
    assert list(Stamp(MAKER).feed(opened)) == opened
