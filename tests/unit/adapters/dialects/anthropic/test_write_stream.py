from __future__ import annotations

import json
from collections.abc import Sequence
from typing import get_args

import pytest
from attrs import evolve
from hypothesis import given

from ccr.adapters.dialects.anthropic.read_stream import AnthropicStreamDecoder
from ccr.adapters.dialects.anthropic.seals import UNSIGNED
from ccr.adapters.dialects.anthropic.write_stream import PING, AnthropicStreamEncoder
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.conversation import Citation, Opaque, ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import StopDetails, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.strategies import decoded, event_streams, meaning

BEGIN = MessageStart("i", "m")
END = MessageStop(StopReason.TOOL_USE, usage=Usage(1, output=2))
CALL = ToolCall("t", "Bash", "")


def encoder() -> AnthropicStreamEncoder:
    return AnthropicStreamEncoder("ccr_1", "asked", 50)


def events_of(stream: bytes) -> list[dict[str, object]]:
    """Return the payloads; every frame is named as its payload says."""
    frames = SseFramer().feed(stream)
    payloads = [json.loads(frame.data) for frame in frames]
    assert [frame.event.decode() for frame in frames] == [payload["type"] for payload in payloads]
    return payloads


def written(*events: StreamEvent) -> list[dict[str, object]]:
    return events_of(encoder().feed(events))


def kinds(payloads: Sequence[dict[str, object]]) -> list[object]:
    return [payload["type"] for payload in payloads]


def test_there_is_a_writer_for_every_event() -> None:
    # Text is written where it is fed: nine events in ten are text.
    assert {*AnthropicStreamEncoder._WRITERS, TextDelta} == set(get_args(StreamEvent))


def test_a_whole_stream() -> None:
    seal = Seal(Origin("anthropic"), "signature", "s")
    assert written(
        BEGIN,
        BlockStart(0, Thinking("")),
        ThinkingDelta("h"),
        SealDelta(seal),
        BlockStop(0),
        BlockStart(1, Text("")),
        TextDelta('"\n\N{GRINNING FACE}'),
        BlockStop(1),
        BlockStart(2, CALL),
        ToolInputDelta('{"a":1}'),
        BlockStop(2),
        END,
    ) == [
        {
            "type": "message_start",
            "message": {
                "id": "i",
                "type": "message",
                "role": "assistant",
                "model": "m",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 50,
                    "cache_creation_input_tokens": 0,
                    "cache_read_input_tokens": 0,
                    "output_tokens": 0,
                },
            },
        },
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "thinking", "thinking": "", "signature": ""},
        },
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "h"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
        {
            "type": "content_block_delta",
            "index": 1,
            "delta": {"type": "text_delta", "text": '"\n\N{GRINNING FACE}'},
        },
        {"type": "content_block_stop", "index": 1},
        {
            "type": "content_block_start",
            "index": 2,
            "content_block": {"type": "tool_use", "id": "t", "name": "Bash", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 2,
            "delta": {"type": "input_json_delta", "partial_json": '{"a":1}'},
        },
        {"type": "content_block_stop", "index": 2},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "tool_use", "stop_sequence": None},
            "usage": {
                "input_tokens": 1,
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
                "output_tokens": 2,
            },
        },
        {"type": "message_stop"},
    ]


def test_redacted_thinking_and_thinking_without_a_word() -> None:
    redacted = Seal(Origin("anthropic"), "redacted", "z")
    payloads = written(
        BEGIN,
        *(BlockStart(0, Thinking("")), SealDelta(redacted), BlockStop(0)),
        *(BlockStart(1, Thinking("")), BlockStop(1)),
    )

    assert payloads[1]["content_block"] == {"type": "redacted_thinking", "data": "z"}
    assert payloads[3]["content_block"] == {"type": "thinking", "thinking": "", "signature": ""}


def test_another_dialects_seal_goes_into_the_signature_and_comes_back() -> None:
    seal = Seal(Origin("gemini", "p"), "thought", "x")
    stream = encoder().feed(
        [BEGIN, BlockStart(0, Thinking("")), SealDelta(seal), BlockStop(0), MessageStop(StopReason.END_TURN)]
    )

    assert SealDelta(seal) in decoded(lambda: AnthropicStreamDecoder(SseFramer()), [stream])


def test_a_keep_alive_opens_the_message_once() -> None:
    writer = encoder()
    opened = events_of(writer.keep_alive())

    assert kinds(opened) == ["message_start", "ping"]
    assert opened[0]["message"]["id"] == "ccr_1"  # type: ignore[index]
    assert opened[0]["message"]["model"] == "asked"  # type: ignore[index]
    assert writer.keep_alive() == PING
    assert writer.feed([MessageStart("i", "m", Usage(9)), UsageUpdate(Usage(output=4))]) == b""
    end = events_of(writer.feed([MessageStop(StopReason.END_TURN)]))
    assert end[0]["usage"]["input_tokens"] == 9  # type: ignore[index]
    assert end[0]["usage"]["output_tokens"] == 4  # type: ignore[index]
    assert writer.keep_alive() == b""
    assert writer.feed([TextDelta("late")]) == b""


def test_a_failure_is_an_error_event_and_the_end() -> None:
    writer = encoder()
    stream = writer.feed(
        [BEGIN, StreamFailed(UpstreamUnavailableError("gone")), MessageStop(StopReason.END_TURN)]
    )

    assert events_of(stream)[1:] == [{"type": "error", "error": {"type": "api_error", "message": "gone"}}]
    assert kinds(events_of(encoder().feed([StreamFailed(UpstreamUnavailableError("gone"))]))) == ["error"]


BROKEN = (BEGIN, BlockStart(0, CALL), ToolInputDelta('{"command":"rm -rf /tm'), BlockStop(0))


@pytest.mark.parametrize(
    "after",
    [
        (END,),
        (UsageUpdate(Usage(output=1)), MessageStop(StopReason.END_TURN)),
        (BlockStart(1, Text("")), TextDelta("a"), BlockStop(1), MessageStop(StopReason.MAX_TOKENS)),
        (StreamFailed(UpstreamUnavailableError("gone")),),
    ],
)
def test_a_broken_call_is_never_delivered_as_finished(after: tuple[StreamEvent, ...]) -> None:
    payloads = written(*BROKEN, *after)

    assert kinds(payloads)[-2:] == ["content_block_delta", "error"]


def test_a_call_that_was_cut_short_is_a_stop_for_max_tokens() -> None:
    payloads = written(*BROKEN, MessageStop(StopReason.MAX_TOKENS))

    assert kinds(payloads)[-3:] == ["content_block_stop", "message_delta", "message_stop"]


def test_an_input_that_came_with_its_block_goes_out_as_a_delta() -> None:
    payloads = written(
        BEGIN,
        *(BlockStart(0, evolve(CALL, input=Json(b'{"a":1}'))), BlockStop(0)),
        *(BlockStart(1, ServerToolCall("s", "w")), BlockStop(1)),
        *(BlockStart(2, ServerToolCall("s", "w", "{")), BlockStop(2)),
        END,
    )

    assert payloads[2]["delta"] == {"type": "input_json_delta", "partial_json": '{"a":1}'}
    assert kinds(payloads)[4:6] == ["content_block_start", "content_block_stop"]
    assert kinds(payloads)[-1] == "error"


def test_a_block_that_this_client_cannot_read_is_left_out_without_a_gap() -> None:
    foreign = Opaque("gemini", "video", Json(b"{}"))
    own = Opaque("anthropic", "novel", Json(b'{"type":"novel"}'))
    payloads = written(
        BEGIN,
        *(BlockStart(0, foreign), BlockStop(0)),
        *(BlockStart(1, own), BlockStop(1)),
    )

    assert payloads[1:] == [
        {"type": "content_block_start", "index": 0, "content_block": {"type": "novel"}},
        {"type": "content_block_stop", "index": 0},
    ]


def test_what_has_no_place_in_a_stream_is_left_out() -> None:
    seal = Seal(Origin("gemini"), "thought", "x")
    payloads = written(
        BEGIN,
        *(BlockStart(0, CALL), SealDelta(seal), BlockStop(0)),
        *(BlockStart(1, Text("")), CitationDelta(Citation("file")), CitationDelta(Citation("url", url="u"))),
        *(TextDelta("\ud83d"), BlockStop(1)),
        MessageStop(StopReason.REFUSAL, "x", StopDetails("anthropic", Json(b'{"stop_details":{"a":1}}'))),
    )

    assert kinds(payloads)[1:3] == ["content_block_start", "content_block_stop"]
    assert payloads[4]["delta"]["citation"]["url"] == "u"  # type: ignore[index]
    assert payloads[5]["delta"] == {"type": "text_delta", "text": "?"}
    assert payloads[7]["delta"] == {
        "stop_reason": "refusal",
        "stop_sequence": "x",
        "stop_details": {"a": 1},
    }


@given(event_streams())
def test_decoding_what_was_encoded_is_the_identity_on_meaning(events: list[StreamEvent]) -> None:
    stream = b"".join([*(encoder_of.feed([event]) for encoder_of in [encoder()] for event in events)])
    found = decoded(lambda: AnthropicStreamDecoder(SseFramer()), [stream])

    kept = [
        event for event in found if event != SealDelta(UNSIGNED)
    ]  # how thinking that nobody signed goes out
    assert _known(meaning(kept)) == _known(meaning(events))


def _known(told: list[object]) -> list[object]:
    """Where nobody said a number the wire says 0."""
    return [
        evolve(one, cache_read=one.cache_read or 0, cache_write_5m=one.cache_write_5m or 0)
        if isinstance(one, Usage)
        else one
        for one in told
    ]


def test_thinking_that_nobody_signed_is_told_from_anthropics_when_it_comes_back() -> None:
    encoder_of = encoder()
    sent = encoder_of.feed(
        [
            MessageStart("i", "m"),
            BlockStart(0, Thinking("")),
            ThinkingDelta("hm"),
            BlockStop(0),
            BlockStart(1, Thinking("")),
            ThinkingDelta("signed"),
            SealDelta(Seal(Origin("anthropic"), "signature", "EqQB")),
            BlockStop(1),
        ]
    )

    assert b'"signature_delta","signature":"ccr1.' in sent
    assert sent.count(b"signature_delta") == 2
    assert b'"signature":"EqQB"' in sent


def test_a_seal_that_came_with_the_start_goes_out_at_the_end() -> None:
    opened: list[StreamEvent] = [
        MessageStart("i", "m"),
        BlockStart(0, Thinking("", Seal(Origin("anthropic"), "signature", "EqQB"))),
    ]

    assert b'"signature":"EqQB"' in encoder().feed([*opened, ThinkingDelta("x"), BlockStop(0)])
