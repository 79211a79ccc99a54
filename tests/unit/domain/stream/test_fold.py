from __future__ import annotations

import pytest
from hypothesis import given

from ccr.domain.conversation import Citation, Image, Inline, ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.errors import InternalError, UpstreamProtocolError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    Folder,
    MessageStart,
    MessageStop,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    UsageUpdate,
    fold,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import EMPTY_OBJECT, Json
from tests.support.strategies import replies


@given(replies())
def test_unfolding_and_folding_gives_the_same_reply(reply: Reply) -> None:
    events = unfold(reply)
    StreamGrammar().check(events)

    assert reply == fold(events)


def test_citations_and_server_tools_survive_the_round_trip() -> None:
    reply = Reply(
        "m",
        "model",
        (
            Text("found", citations=(Citation("url", url="http://a"),)),
            ServerToolCall("s", "web_search", Json(b'{"q":1}')),
            ToolCall("t", "Read", "free text"),
            ToolCall("u", "Read"),
        ),
        StopReason.TOOL_USE,
    )
    folded = fold(unfold(reply))

    assert reply.blocks[:2] == folded.blocks[:2]
    assert Json(b"free text") == folded.blocks[2].input  # type: ignore[union-attr]
    assert folded.blocks[3].input == EMPTY_OBJECT  # type: ignore[union-attr]


def test_a_tool_call_without_any_input_has_an_empty_object() -> None:
    folded = fold(
        [
            MessageStart("m", "x"),
            BlockStart(0, ToolCall("t", "Read", "")),
            BlockStop(0),
            BlockStart(1, ServerToolCall("s", "Read", Json(b"[]"))),
            BlockStop(1),
            BlockStart(2, ToolCall("t", "Read", "{}")),
            BlockStop(2),
            MessageStop(StopReason.TOOL_USE),
        ]
    )

    assert [EMPTY_OBJECT, Json(b"[]"), Json(b"{}")] == [block.input for block in folded.blocks]  # type: ignore[union-attr]


def test_later_usage_replaces_and_never_adds() -> None:
    folded = fold(
        [
            MessageStart("m", "x", Usage(input_uncached=10, output=1)),
            UsageUpdate(Usage(output=5)),
            MessageStop(StopReason.END_TURN, usage=Usage(output=7)),
        ]
    )

    assert Usage(input_uncached=10, output=7) == folded.usage


def test_a_stream_that_failed_raises_its_error() -> None:
    error = InternalError("broken")

    with pytest.raises(InternalError, match="broken"):
        fold([MessageStart("m", "x"), StreamFailed(error)])


@pytest.mark.parametrize("events", [[], [MessageStart("m", "x")], [MessageStop(StopReason.END_TURN)]])
def test_an_incomplete_stream_is_an_error(events: list[object]) -> None:
    with pytest.raises(UpstreamProtocolError):
        fold(events)  # type: ignore[arg-type]


def test_something_that_is_no_event_is_refused() -> None:
    with pytest.raises(TypeError):
        Folder().feed(["text"])  # type: ignore[list-item]


def test_a_block_stop_without_a_block_adds_nothing() -> None:
    folder = Folder()
    folder.feed([MessageStart("m", "x"), BlockStop(0), MessageStop(StopReason.END_TURN)])

    assert folder.reply().blocks == ()


def test_thinking_without_text_unfolds_to_no_delta() -> None:
    events = unfold(Reply("m", "x", (Thinking(""), Text("")), StopReason.END_TURN))

    assert not [event for event in events if isinstance(event, TextDelta)]


def test_a_sealed_tool_call_and_a_block_without_deltas_survive_the_round_trip() -> None:
    seal = Seal(Origin("gemini"), "thought_signature", "s")
    picture = Image(Inline("image/png", "AA=="))
    reply = Reply("m", "x", (ToolCall("t", "Read", Json(b"{}"), seal=seal), picture), StopReason.TOOL_USE)

    assert fold(unfold(reply)) == reply


def test_the_seal_of_a_call_is_known_at_its_start() -> None:
    """Writers that carry it in the call's id cannot wait."""
    call = ToolCall("t", "f", Json(b"{}"), seal=Seal(Origin("gemini"), "signature", "x"))
    started = next(
        event
        for event in unfold(Reply("m", "x", (call,), StopReason.TOOL_USE))
        if isinstance(event, BlockStart)
    )

    assert started.block == ToolCall("t", "f", "", seal=call.seal)
