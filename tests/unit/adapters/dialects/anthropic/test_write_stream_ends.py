"""The edges of a streamed reply: its exact frames, whose tokens it tells, and that nothing follows the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic.write_stream import PING, AnthropicStreamEncoder
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.conversation import ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
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

BEGIN = MessageStart("i", "m")
END = MessageStop(StopReason.END_TURN)
FAILED = StreamFailed(UpstreamUnavailableError("gone"))
SIGNED = Seal(Origin("anthropic"), "signature", "EqQB")


def encoder() -> AnthropicStreamEncoder:
    return AnthropicStreamEncoder("ccr_1", "asked")


def payloads(stream: bytes) -> list[dict[str, Any]]:
    return [json.loads(frame.data) for frame in SseFramer().feed(stream)]


def framed(told: list[dict[str, Any]]) -> bytes:
    """The payloads as the API frames them, and nothing between them."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), json.dumps(one, separators=(",", ":")).encode())
        for one in told
    )


def test_a_stream_is_frames_and_nothing_between_them() -> None:
    stream = encoder().feed(
        [
            MessageStart("i", "m", Usage(3)),
            *(BlockStart(0, Thinking("")), ThinkingDelta("h"), ThinkingDelta("m"), SealDelta(SIGNED)),
            *(
                BlockStop(0),
                UsageUpdate(Usage(output=1)),
                BlockStart(1, Text("")),
                TextDelta("a"),
                BlockStop(1),
            ),
            *(BlockStart(2, ToolCall("t", "Bash", "")), ToolInputDelta("{}"), BlockStop(2)),
            *(BlockStart(3, ServerToolCall("s", "w", "")), ToolInputDelta("{}"), BlockStop(3), END),
        ]
    )
    told = payloads(stream)
    assert [one.get("index") for one in told] == [None, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, None, None]
    assert stream == framed(told)


def test_a_failure_and_a_ping_are_one_frame_each() -> None:
    stream = encoder().feed([FAILED])
    assert len(payloads(stream)) == 1
    assert stream == framed(payloads(stream))
    assert framed([{"type": "ping"}]) == PING


@pytest.mark.parametrize("last", [END, FAILED])
def test_nothing_comes_after_the_end(last: StreamEvent) -> None:
    writer = encoder()
    assert writer.feed([BEGIN, last, TextDelta("late"), END]) == encoder().feed([BEGIN, last])
    assert writer.feed([TextDelta("late"), END, FAILED]) == writer.keep_alive() == b""


def test_usage_is_what_start_updates_and_stop_say_together() -> None:
    begin, *_, end, _ = payloads(
        encoder().feed(
            [
                MessageStart("i", "m", Usage(cache_read=10)),
                UsageUpdate(Usage(5, output=1)),
                UsageUpdate(Usage(output=2)),
                MessageStop(StopReason.END_TURN, usage=Usage(cache_write_5m=4)),
            ]
        )
    )
    assert begin["message"]["usage"]["cache_read_input_tokens"] == 10
    assert end["usage"] == {
        "input_tokens": 5,
        "cache_creation_input_tokens": 4,
        "cache_creation": {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 0},
        "cache_read_input_tokens": 10,
        "output_tokens": 2,
    }


def test_where_nobody_counted_and_nothing_is_estimated_it_is_nothing() -> None:
    begin, end, _ = payloads(encoder().feed([BEGIN, END]))
    assert begin["message"]["usage"]["input_tokens"] == end["usage"]["input_tokens"] == 0


def test_a_reply_is_a_stream_of_events() -> None:
    assert encoder().content_type == "text/event-stream; charset=utf-8"


HALF = (BEGIN, BlockStart(0, ToolCall("t", "Bash", "")), ToolInputDelta('{"a":'), BlockStop(0))


def test_usage_may_come_between_half_a_call_and_the_reason_for_it() -> None:
    *_, stop, delta, _ = payloads(
        encoder().feed([*HALF, UsageUpdate(Usage(output=7)), MessageStop(StopReason.MAX_TOKENS)])
    )
    assert stop == {"type": "content_block_stop", "index": 0}
    assert delta["delta"]["stop_reason"] == "max_tokens"
    assert delta["usage"]["output_tokens"] == 7


def test_a_failure_after_half_a_call_is_told_as_it_is() -> None:
    told = payloads(encoder().feed([*HALF, FAILED]))
    assert told[-1]["error"]["message"] == "gone"


def test_an_estimate_stands_in_at_the_start_and_at_the_end() -> None:
    begin, end, _ = payloads(AnthropicStreamEncoder("ccr_1", "asked", 50).feed([BEGIN, END]))
    assert begin["message"]["usage"]["input_tokens"] == end["usage"]["input_tokens"] == 50


def test_thinking_that_nobody_signed_is_marked_after_some_that_was_signed() -> None:
    signed = (BlockStart(0, Thinking("")), ThinkingDelta("a"), SealDelta(SIGNED), BlockStop(0))
    told = payloads(
        encoder().feed([BEGIN, *signed, BlockStart(1, Thinking("")), ThinkingDelta("b"), BlockStop(1)])
    )
    first, second = (one["delta"]["signature"] for one in told if "signature" in one.get("delta", {}))
    assert first == "EqQB"
    assert second not in {"", first}


def test_the_input_of_a_search_comes_in_a_delta_and_never_at_the_start() -> None:
    asked = ServerToolCall("srvtoolu_1", "web_search", Json(b'{"query":"q"}'))
    _, start, delta, stop = payloads(encoder().feed([BEGIN, BlockStart(0, asked), BlockStop(0)]))
    block = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}
    assert start["content_block"] == block
    assert delta["delta"] == {"type": "input_json_delta", "partial_json": '{"query":"q"}'}
    assert stop["type"] == "content_block_stop"


def test_the_seal_of_a_call_is_a_whole_thinking_block_before_it() -> None:
    seal = Seal(Origin("gemini", "g"), "call", "AB")
    call = ToolCall("t", "Bash", "", seal=seal)
    _, start, delta, stop, called = payloads(encoder().feed([BEGIN, BlockStart(0, call)]))
    block = {"type": "thinking", "thinking": "", "signature": ""}
    assert start == {"type": "content_block_start", "index": 0, "content_block": block}
    assert delta["index"] == stop["index"] == 0
    assert delta["delta"]["type"] == "signature_delta"
    assert (called["index"], called["content_block"]["type"]) == (1, "tool_use")


REDACTED = Seal(Origin("anthropic"), "redacted", "z")


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param((ThinkingDelta("a"), SealDelta(REDACTED)), id="after a word"),
        pytest.param((SealDelta(Seal(Origin("gemini"), "redacted", "z")),), id="of somebody else"),
    ],
)
def test_only_our_own_seal_before_any_word_is_a_redacted_block(inner: tuple[StreamEvent, ...]) -> None:
    _, start, *deltas, stop = payloads(
        encoder().feed([BEGIN, BlockStart(0, Thinking("")), *inner, BlockStop(0)])
    )
    assert start["content_block"]["type"] == "thinking"
    assert deltas[-1]["delta"]["type"] == "signature_delta"
    assert [one["type"] for one in deltas] == ["content_block_delta"] * len(inner)
    assert stop["type"] == "content_block_stop"


def test_an_input_that_came_with_its_block_is_not_told_after_its_deltas() -> None:
    call = ToolCall("t", "Bash", Json(b'{"a":1}'))
    told = payloads(
        encoder().feed([BEGIN, BlockStart(0, call), ToolInputDelta('{"a":2}'), BlockStop(0), END])
    )
    assert [one["delta"]["partial_json"] for one in told if "partial_json" in one.get("delta", {})] == [
        '{"a":2}'
    ]
