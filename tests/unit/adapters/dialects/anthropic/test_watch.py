from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic.watch import AnthropicStreamWatch, AnthropicWholeWatch
from ccr.adapters.dialects.anthropic.write_stream import AnthropicStreamEncoder
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.errors import (
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
)
from ccr.domain.stream import StreamEvent
from ccr.domain.usage import Usage
from tests.support.anthropic_calls import sse
from tests.support.strategies import chunkings, event_streams

BEGIN = {"type": "message_start", "message": {"usage": {"input_tokens": 3}}}
TEXT = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
SAID = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}}
TOOL = {
    "type": "content_block_start",
    "index": 0,
    "content_block": {"type": "tool_use", "id": "t", "name": "Bash"},
}
CLOSE = {"type": "content_block_stop", "index": 0}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
CUT = {"type": "message_delta", "delta": {"stop_reason": "max_tokens"}, "usage": {"output_tokens": 2}}
STOP = {"type": "message_stop"}
PING = {"type": "ping"}


def given_input(text: str) -> dict[str, object]:
    return {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "input_json_delta", "partial_json": text},
    }


def watched(*events: object, raw: bytes = b"") -> AnthropicStreamWatch:
    watch = AnthropicStreamWatch()
    watch.feed(sse(*events) + raw)
    return watch


def last_error(tail: bytes) -> dict[str, object]:
    frame = SseFramer().feed(tail)[-1]
    assert frame.event == b"error"
    error = json.loads(frame.data)["error"]
    assert isinstance(error, dict)
    return error


def test_a_whole_stream_ends_well() -> None:
    watch = watched(BEGIN, TEXT, SAID, CLOSE, END, STOP)

    assert (watch.started, watch.ended, watch.open_block, watch.error) == (True, True, False, None)
    assert watch.usage == Usage(3, output=2)
    assert watch.progress == 6
    assert watch.close() == b""
    assert watch.close(UpstreamTimeoutError("late")) == b""
    watch.feed(b"data: junk\n\n")
    assert watch.error is None


def test_it_sees_how_far_the_reply_is() -> None:
    watch = watched(BEGIN, PING)
    assert (watch.started, watch.progress) == (False, 1)
    watch.feed(sse({"type": "novel"}) + b'data: {"type":"ping"}\n\n: comment\n\n')
    assert watch.progress == 2
    watch.feed(sse(TEXT))
    assert (watch.started, watch.open_block) == (True, True)
    watch.feed(sse(SAID).replace(b"event: ", b": "))
    assert watch.progress == 4


@given(event_streams(), st.data())
def test_what_it_sees_does_not_depend_on_the_chunks(events: list[StreamEvent], data: st.DataObject) -> None:
    stream = AnthropicStreamEncoder("i", "m").feed(events)
    whole, cut = AnthropicStreamWatch(), AnthropicStreamWatch()
    whole.feed(stream)
    for piece in data.draw(chunkings(stream)):
        cut.feed(piece)

    assert whole.ended
    assert (cut.usage, cut.progress, cut.ended, cut.error) == (whole.usage, whole.progress, True, None)


@given(event_streams(), st.data())
def test_a_cut_ends_in_one_error_event(events: list[StreamEvent], data: st.DataObject) -> None:
    stream = AnthropicStreamEncoder("i", "m").feed(events)
    at = data.draw(st.integers(0, stream.rindex(b"event: message_delta")))
    watch = AnthropicStreamWatch()
    watch.feed(stream[:at])
    tail = watch.close()

    assert last_error(tail)["message"] == "the reply ended before it was complete"
    assert isinstance(watch.error, UpstreamProtocolError)
    assert SseFramer().feed(stream[:at] + tail)[-1].event == b"error"


def test_a_cut_by_us_says_why() -> None:
    watch = watched(BEGIN, raw=b"event: ping\nda")
    tail = watch.close(UpstreamTimeoutError("nothing for 120 s"))

    assert tail.startswith(b"\n\n")
    assert last_error(tail) == {"type": "timeout_error", "message": "nothing for 120 s"}


def test_a_reason_without_message_stop_is_an_end() -> None:
    watch = watched(BEGIN, TEXT, CLOSE, END)
    assert (watch.close(), watch.ended) == (b"", True)
    held = watched(BEGIN, TEXT, CLOSE, END, raw=b"event: message_stop\ndata: {}")
    assert (held.close(), held.ended) == (b"", True)
    late = watched(BEGIN, TEXT, CLOSE, END)
    assert late.close(UpstreamTimeoutError("x")) == b""


def test_an_error_of_the_provider_is_passed_on_in_its_own_words() -> None:
    watch = watched(BEGIN, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}, STOP)

    assert isinstance(watch.error, UpstreamLimitedError)
    assert not watch.ended
    assert last_error(watch.close()) == {"type": "overloaded_error", "message": "busy"}


@pytest.mark.parametrize(
    "raw",
    [
        b"data: <html>\n\n",
        b'event: content_block_delta\ndata: {"delta\n\n',
        b'event: message_start\ndata: {"message":7}\n\n',
    ],
)  # fmt: skip
def test_junk_is_an_error(raw: bytes) -> None:
    watch = watched(BEGIN, raw=raw)

    assert isinstance(watch.error, UpstreamProtocolError)
    assert last_error(watch.close())["type"] == "api_error"


def test_an_event_over_the_bound_is_an_error() -> None:
    watch = AnthropicStreamWatch(100)
    watch.feed(b"data: " + b"x" * 200)
    assert isinstance(watch.error, UpstreamProtocolError)
    watch = AnthropicStreamWatch(100)
    watch.feed(sse(PING) + b"data: " + b"x" * 200)
    assert watch.error is None
    assert b"100 bytes" in watch.close()


@pytest.mark.parametrize("after", [(END,), (TEXT,), (STOP,)])
def test_a_broken_call_is_an_error(after: tuple[object, ...]) -> None:
    watch = watched(BEGIN, TOOL, given_input('{"command":"rm -rf /tm'), CLOSE, *after)

    assert not watch.ended
    assert "Bash" in str(watch.error)


def test_a_broken_call_that_nothing_follows_is_an_error() -> None:
    assert watched(BEGIN, TOOL, given_input("{"), CLOSE).close() != b""


def test_a_call_that_was_cut_short_or_is_whole_or_empty_is_none() -> None:
    assert watched(BEGIN, TOOL, given_input("{"), CLOSE, CUT, STOP).ended
    assert watched(BEGIN, TOOL, given_input('{"a"'), given_input(":1}"), CLOSE, END, STOP).ended
    assert watched(BEGIN, TOOL, CLOSE, {**END, "delta": None}, END, STOP).ended


# ------------------------------------------------------------------------------------- whole replies


def test_a_whole_reply() -> None:
    watch = AnthropicWholeWatch()
    watch.feed(b'{"content":[],"usage":')
    watch.feed(b'{"input_tokens":4}}')

    assert not watch.ended
    assert watch.close() == b""
    assert watch.close() == b""
    assert (watch.ended, watch.started, watch.usage, watch.error) == (True, True, Usage(4), None)


@pytest.mark.parametrize(
    "body, kind",
    [
        (b"", UpstreamProtocolError),
        (b'{"content":"x"}', UpstreamProtocolError),
        (b'{"type":"error","error":{"type":"overloaded_error","message":"x"}}', UpstreamLimitedError),
    ],
)
def test_what_is_no_reply(body: bytes, kind: type[Exception]) -> None:
    watch = AnthropicWholeWatch()
    watch.feed(body)
    watch.close()

    assert isinstance(watch.error, kind)
    assert not watch.ended


def test_a_whole_reply_that_was_cut() -> None:
    watch, error = AnthropicWholeWatch(), UpstreamTimeoutError("x")

    assert watch.close(error) == b""
    assert watch.error is error
