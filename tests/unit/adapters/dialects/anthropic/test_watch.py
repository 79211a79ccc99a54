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


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize("more", [b"id: 7\n", b": a comment\n", b"data: \n"])
def test_a_delta_with_more_lines_than_usual_passes_as_it_came(more: bytes, *, strict: bool) -> None:
    watch = AnthropicStreamWatch(strict=strict)
    watch.feed(sse(BEGIN, TEXT))
    before = watch.progress
    event = sse(SAID).removesuffix(b"\n") + more + b"\n"

    assert watch.feed(event) == event
    assert watch.progress == before + 1
    assert watch.error is None


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
    passed = watch.feed(stream[:at])
    tail = watch.close()

    assert stream.startswith(passed)
    assert passed == b"" or passed.endswith(b"\n\n")
    assert last_error(tail)["message"] == "the reply ended before it was complete"
    assert isinstance(watch.error, UpstreamProtocolError)
    frames = SseFramer().feed(passed + tail)
    assert frames[-1].event == b"error"
    assert all(isinstance(json.loads(frame.data), dict) for frame in frames)


def test_a_cut_by_us_says_why() -> None:
    watch = watched(BEGIN, raw=b"event: ping\nda")
    tail = watch.close(UpstreamTimeoutError("nothing for 120 s"))

    assert last_error(tail) == {"type": "timeout_error", "message": "nothing for 120 s"}


def test_a_reason_without_message_stop_is_an_end() -> None:
    watch = watched(BEGIN, TEXT, CLOSE, END)
    stop = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'
    assert (watch.close(), watch.ended) == (stop, True)
    held = watched(BEGIN, TEXT, CLOSE, END, raw=b"event: message_stop\ndata: {}")
    assert (held.close(), held.ended) == (b"event: message_stop\ndata: {}\n\n", True)
    late = watched(BEGIN, TEXT, CLOSE, END)
    assert late.close(UpstreamTimeoutError("x")) == stop


def test_only_whole_events_go_on_and_nothing_is_changed() -> None:
    stream, watch, passed = sse(BEGIN, TEXT, SAID, CLOSE, END, STOP), AnthropicStreamWatch(), b""
    for at in range(len(stream)):
        got = watch.feed(stream[at : at + 1])
        assert got == b"" or got.endswith(b"\n\n")
        passed += got

    assert passed == stream
    assert watch.feed(b"data: after the end\n\n") == b""


def test_what_comes_before_a_broken_event_goes_on_and_nothing_behind_it() -> None:
    watch = AnthropicStreamWatch()

    assert watch.feed(sse(BEGIN, TEXT) + b"data: <html>\n\n" + sse(SAID)) == sse(BEGIN, TEXT)
    assert watch.feed(sse(SAID)) == b""
    assert last_error(watch.close())["type"] == "api_error"
    assert watch.close() == b""


def test_nothing_goes_on_behind_the_end() -> None:
    watch = AnthropicStreamWatch()
    whole = sse(BEGIN, TEXT, CLOSE, END, STOP)

    assert watch.feed(whole + sse(SAID)) == whole


def test_text_that_is_not_utf_8_is_an_error() -> None:
    watch = watched(BEGIN, TEXT, raw=sse(SAID).replace(b'"a"', b'"\xff"'))

    assert isinstance(watch.error, UpstreamProtocolError)


OTHER = {**SAID, "index": 4}


@pytest.mark.parametrize(
    "events",
    [
        (TEXT,),
        (BEGIN, BEGIN),
        (BEGIN, SAID),
        (BEGIN, TEXT, OTHER),
        (BEGIN, TEXT, TEXT),
        (BEGIN, {**TEXT, "index": 1}),
        (BEGIN, TEXT, CLOSE, CLOSE),
        (BEGIN, TEXT, END),
        (BEGIN, TEXT, STOP),
        (END,),
        (BEGIN, TEXT, CLOSE, STOP),
    ],
)
def test_events_out_of_order_are_an_error_of_all_but_anthropic(events: tuple[object, ...]) -> None:
    strict, lenient = AnthropicStreamWatch(strict=True), AnthropicStreamWatch()

    assert strict.feed(sse(*events)) == sse(*events[:-1])
    assert isinstance(strict.error, UpstreamProtocolError)
    lenient.feed(sse(*events))
    assert lenient.error is None


def test_events_of_a_later_day_are_never_out_of_order() -> None:
    watch = AnthropicStreamWatch(strict=True)
    whole = sse(
        {"type": "novel"}, BEGIN, PING, {"type": "novel"}, TEXT, SAID, {"type": "novel"}, CLOSE, END, STOP
    )

    assert watch.feed(whole) == whole
    assert watch.ended


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


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize("after", [(END, STOP), ({**TOOL, "index": 1},), (STOP,), ()])
def test_the_block_of_a_broken_call_is_never_closed(after: tuple[object, ...], strict: bool) -> None:
    """A client may run a tool as soon as its block is closed."""
    begun, watch = (
        sse(BEGIN, TOOL, given_input('{"command":"rm -rf /tm')),
        AnthropicStreamWatch(strict=strict),
    )

    passed = b"".join(watch.feed(piece) for piece in (begun, sse(CLOSE), sse(PING), sse(*after)))

    assert passed == begun
    assert last_error(watch.close())["type"] == "api_error"


def test_the_end_of_a_call_that_was_cut_short_goes_on_with_the_reason() -> None:
    stream = sse(BEGIN, TOOL, given_input("{"), CLOSE, PING, CUT, STOP)
    watch = AnthropicStreamWatch(strict=True)

    assert b"".join(watch.feed(bytes([byte])) for byte in stream) == stream
    assert watch.ended


def test_what_waits_behind_a_broken_call_is_bounded() -> None:
    watch = AnthropicStreamWatch(300)
    watch.feed(sse(BEGIN, TOOL, given_input("{"), CLOSE))
    for _ in range(20):
        watch.feed(sse(PING))

    assert isinstance(watch.error, UpstreamProtocolError)


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


@pytest.mark.parametrize("strict", [True, False])
def test_of_those_who_merely_speak_it_nameless_events_get_their_name(strict: bool) -> None:
    """The official SDKs pass over an event without a name."""
    events = (BEGIN, PING, TEXT, SAID, CLOSE, END, STOP)
    bare = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    watch = AnthropicStreamWatch(strict=strict)

    passed = b"".join(watch.feed(bytes([byte])) for byte in bare) + watch.close()

    named = b"".join(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events)
    assert passed == (named if strict else bare)
    assert watch.ended


def test_a_mark_before_the_first_event_does_not_go_on() -> None:
    watch = AnthropicStreamWatch(strict=True)
    begin = sse(BEGIN)

    assert watch.feed(b"\xef\xbb\xbf" + begin) == begin


def test_a_last_event_without_its_empty_line_gets_its_name_too() -> None:
    watch = AnthropicStreamWatch(strict=True)
    watch.feed(sse(BEGIN, TEXT, SAID, CLOSE, END))
    watch.feed(b'data: {"type":"message_stop"}')

    assert watch.close() == b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def test_a_novel_event_without_a_name_is_left_as_it_is() -> None:
    watch = AnthropicStreamWatch(strict=True)

    assert watch.feed(b'data: {"type":"novel"}\n\n') == b'data: {"type":"novel"}\n\n'


def test_of_those_who_merely_speak_it_an_event_has_one_name() -> None:
    watch = AnthropicStreamWatch(strict=True)

    assert watch.feed(b"event: ping_pong\ndata: " + json.dumps(BEGIN).encode() + b"\n\n") == b""
    assert watch.error is not None
    assert "two names" in watch.error.message
