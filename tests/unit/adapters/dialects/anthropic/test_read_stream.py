from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic import read_stream
from ccr.adapters.dialects.anthropic.read_stream import AnthropicStreamDecoder
from ccr.adapters.dialects.anthropic.write_stream import AnthropicStreamEncoder
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.conversation import (
    Citation,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
)
from ccr.domain.errors import UpstreamLimitedError, UpstreamProtocolError
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
from tests.support.anthropic_calls import sse
from tests.support.strategies import (
    assert_chunking_free,
    assert_junk_is_legal,
    assert_truncation_fails,
    chunkings,
    decoded,
    event_streams,
)

BEGIN = {"type": "message_start", "message": {"id": "i", "model": "m", "usage": {"input_tokens": 3}}}
END = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}
STOP = {"type": "message_stop"}
STARTED = MessageStart("i", "m", Usage(3))
ENDED = MessageStop(StopReason.END_TURN, usage=Usage(output=2))


def make() -> AnthropicStreamDecoder:
    return AnthropicStreamDecoder(SseFramer(100_000))


def start(index: int | None, block: Mapping[str, object]) -> dict[str, object]:
    event: dict[str, object] = {"type": "content_block_start", "content_block": block}
    return event if index is None else {**event, "index": index}


def delta(index: int | None, kind: str, **fields: object) -> dict[str, object]:
    event: dict[str, object] = {"type": "content_block_delta", "delta": {"type": kind, **fields}}
    return event if index is None else {**event, "index": index}


def stop(index: int) -> dict[str, object]:
    return {"type": "content_block_stop", "index": index}


TEXT = {"type": "text", "text": ""}
TOOL = {"type": "tool_use", "id": "t", "name": "n", "input": {}}
OTHER = {"type": "tool_use", "id": "u", "name": "o", "input": {}}


def inside(*events: object) -> list[StreamEvent]:
    found = decoded(make, [sse(BEGIN, *events, END, STOP)])

    assert found[0] == STARTED
    assert found[-1] == ENDED or isinstance(found[-1], MessageStop)
    return found[1:-1]


# ------------------------------------------------------------------------------------------ meaning


def test_a_plain_answer() -> None:
    assert inside(
        {"type": "ping"},
        start(0, TEXT),
        delta(0, "text_delta", text="a"),
        delta(0, "novel_delta", x=1),
        delta(0, "citations_delta", citation={"type": "page_location"}),
        stop(0),
        {"type": "novel"},
    ) == [
        BlockStart(0, Text("")),
        TextDelta("a"),
        CitationDelta(Citation("page", dialect="anthropic", rest=Json(b'{"type": "page_location"}'))),
        BlockStop(0),
    ]


def test_thinking_with_its_signature_and_redacted_thinking() -> None:
    origin = Origin("anthropic")

    assert inside(
        start(0, {"type": "thinking", "thinking": "", "signature": ""}),
        delta(0, "thinking_delta", thinking="h"),
        delta(0, "signature_delta", signature="s"),
        stop(0),
        start(1, {"type": "redacted_thinking", "data": "z"}),
        stop(1),
    ) == [
        BlockStart(0, Thinking("")),
        ThinkingDelta("h"),
        SealDelta(Seal(origin, "signature", "s")),
        BlockStop(0),
        BlockStart(1, Thinking("")),
        SealDelta(Seal(origin, "redacted", "z")),
        BlockStop(1),
    ]


def test_tools_and_blocks_that_come_whole() -> None:
    result = {"type": "web_search_tool_result", "tool_use_id": "s", "content": []}

    assert inside(
        start(0, TOOL),
        delta(0, "input_json_delta", partial_json=""),
        delta(0, "input_json_delta", partial_json='{"a":'),
        delta(0, "input_json_delta", partial_json="1}"),
        stop(0),
        start(1, {"type": "server_tool_use", "id": "s", "name": "w", "input": {"q": 1}}),
        stop(1),
        start(2, result),
        stop(2),
        start(3, {"type": "novel", "x": 1}),
        stop(3),
    ) == [
        BlockStart(0, ToolCall("t", "n", "")),
        ToolInputDelta('{"a":'),
        ToolInputDelta("1}"),
        BlockStop(0),
        BlockStart(1, ServerToolCall("s", "w", "")),
        ToolInputDelta('{"q": 1}'),
        BlockStop(1),
        BlockStart(2, ServerToolResult("s", "web_search_tool_result", Json(b"[]"), "anthropic")),
        BlockStop(2),
        BlockStart(3, Opaque("anthropic", "novel", Json(b'{"type": "novel", "x": 1}'))),
        BlockStop(3),
    ]


def test_content_that_comes_with_the_start_of_its_block() -> None:
    found = inside(
        start(0, {"type": "text", "text": "a", "citations": [{"type": "x", "url": "u"}]}),
        stop(0),
        start(1, {"type": "thinking", "thinking": "h", "signature": "s"}),
        stop(1),
    )

    assert [type(event) for event in found] == [
        *(BlockStart, TextDelta, CitationDelta, BlockStop),
        *(BlockStart, ThinkingDelta, SealDelta, BlockStop),
    ]


def test_interleaved_blocks_wait_for_their_turn() -> None:
    assert inside(
        start(4, TOOL),
        start(7, OTHER),
        delta(7, "input_json_delta", partial_json="{}"),
        stop(7),
        start(9, TEXT),
        delta(4, "input_json_delta", partial_json="{}"),
        delta(9, "text_delta", text="a"),
        stop(4),
        delta(9, "text_delta", text="b"),
        stop(9),
    ) == [
        *(BlockStart(0, ToolCall("t", "n", "")), ToolInputDelta("{}"), BlockStop(0)),
        *(BlockStart(1, ToolCall("u", "o", "")), ToolInputDelta("{}"), BlockStop(1)),
        *(BlockStart(2, Text("")), TextDelta("a"), TextDelta("b"), BlockStop(2)),
    ]


def test_blocks_that_nobody_stopped_stop_with_the_message() -> None:
    assert inside(
        start(0, TEXT), start(0, TOOL), start(None, OTHER), start(5, TEXT), stop(5), start(6, TEXT)
    ) == [
        *(BlockStart(0, Text("")), BlockStop(0)),
        *(BlockStart(1, ToolCall("t", "n", "")), BlockStop(1)),
        *(BlockStart(2, ToolCall("u", "o", "")), BlockStop(2)),
        *(BlockStart(3, Text("")), BlockStop(3)),
        *(BlockStart(4, Text("")), BlockStop(4)),
    ]


def test_usage_comes_when_it_comes() -> None:
    late = {"type": "message_delta", "usage": {"output_tokens": 1}}
    again = {"type": "message_start", "message": {"id": "other", "usage": {"cache_read_input_tokens": 5}}}
    found = decoded(make, [sse(BEGIN, again, {"type": "message_start"}, late, END, late, STOP)])

    assert found == [
        STARTED,
        UsageUpdate(Usage(cache_read=5)),
        UsageUpdate(Usage(output=1)),
        MessageStop(StopReason.END_TURN, usage=Usage(output=1)),
    ]


def test_details_stand_in_the_delta_or_beside_it() -> None:
    inner = {"type": "message_delta", "delta": {"stop_reason": "refusal", "stop_details": {"a": 1}}}
    outer = {"type": "message_delta", "delta": {"stop_reason": "refusal"}, "context_management": {"b": 1}}

    for event, data in ((inner, b'{"stop_details":{"a": 1}}'), (outer, b'{"context_management":{"b": 1}}')):
        (_, end) = decoded(make, [sse(BEGIN, event, STOP)])
        assert end == MessageStop(StopReason.REFUSAL, details=StopDetails("anthropic", Json(data)))


def test_an_end_without_message_stop_is_an_end_if_a_reason_was_given() -> None:
    assert decoded(make, [sse(BEGIN, END)]) == [STARTED, ENDED]
    assert decoded(make, [sse(BEGIN, END) + b"data: [DONE]\n\n"]) == [STARTED, ENDED]
    unnamed = sse(BEGIN, END, STOP).replace(b"event: ", b": ")
    assert decoded(make, [unnamed]) == [STARTED, ENDED]


def test_an_end_without_its_last_blank_line_is_an_end() -> None:
    assert decoded(make, [sse(BEGIN, END, STOP)[:-2]]) == [STARTED, ENDED]


def test_a_delta_that_says_nothing_is_nothing() -> None:
    assert inside({"type": "message_delta", "delta": {}}) == []


def test_an_event_may_have_its_type_in_its_name_only() -> None:
    stream = sse(BEGIN, END) + b"event: message_stop\ndata: {}\n\n"

    assert decoded(make, [stream]) == [STARTED, ENDED]


def test_half_a_surrogate_pair_does_not_fail_a_reply() -> None:
    stream = sse(BEGIN, start(0, TEXT)) + (
        b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"a\\ud83d"}}\n\n'
    )

    assert decoded(make, [stream + sse(stop(0), END, STOP)])[2] == TextDelta("a\ufffd")


# ------------------------------------------------------------------------------------------ failures


def failed(*events: object, raw: bytes = b"") -> StreamFailed:
    last = decoded(make, [sse(*events) + raw])[-1]
    assert isinstance(last, StreamFailed)
    return last


@pytest.mark.parametrize(
    "events, words",
    [
        ([], "before it was complete"),
        ([BEGIN], "before it was complete"),
        ([BEGIN, END, start(0, TEXT)], "before it was complete"),
        ([END], "message_delta before message_start"),
        ([start(0, TEXT)], "content_block_start before"),
        ([delta(0, "text_delta", text="a")], "content_block_delta before"),
        ([stop(0)], "content_block_stop before"),
        ([BEGIN, STOP], "without saying why"),
        ([BEGIN, delta(0, "text_delta", text="a")], "block 0 is not open"),
        ([BEGIN, start(0, TEXT), stop(0), stop(0)], "block 0 is not open"),
        ([BEGIN, start(0, TEXT), delta(0, "input_json_delta", partial_json="a")], "for a Text block"),
        ([BEGIN, start(0, TOOL), delta(0, "text_delta", text="a")], "for a ToolCall block"),
        ([BEGIN, start(0, {"type": "tool_use"})], "content_block.id"),
        ([BEGIN, start(0, TEXT), delta(0, "text_delta", text=7)], "a delta is not JSON of the right shape"),
        ([BEGIN, {"type": "message_delta", "delta": 7}], "message_delta is not of the right shape"),
        ([BEGIN, {"type": ["x"]}], "not JSON of the right shape"),
    ],
)
def test_what_is_not_legal_fails(events: list[object], words: str) -> None:
    error = failed(*events).error

    assert isinstance(error, UpstreamProtocolError)
    assert words in error.message


def test_an_error_event_fails_with_its_own_words() -> None:
    error = failed(BEGIN, {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}).error

    assert isinstance(error, UpstreamLimitedError)
    assert error.message == "busy"


def test_junk_fails_and_nothing_comes_after() -> None:
    assert "not JSON" in failed(BEGIN, raw=b"data: <html>\n\n").error.message


def test_an_event_over_the_bound_fails() -> None:
    assert "longer than" in failed(BEGIN, raw=b"data: " + b"x" * 100_001).error.message
    assert "longer than" in failed(raw=b"data: " + b"x" * 100_001 + b"\n\n").error.message
    decoder = make()
    decoder.feed(sse(BEGIN) + b"data: " + b"x" * 100_001)
    assert isinstance(decoder.close()[-1], StreamFailed)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_stream, "_HELD", 250)

    assert (
        "hold too much"
        in failed(BEGIN, start(0, TEXT), start(1, TEXT), delta(1, "text_delta", text="a" * 100)).error.message
    )


# ---------------------------------------------------------------------------------------- properties


def encoded(events: list[StreamEvent]) -> bytes:
    return AnthropicStreamEncoder("ccr_1", "m").feed(events)


@given(event_streams(), st.data())
def test_any_chunking_gives_the_same_events(events: list[StreamEvent], data: st.DataObject) -> None:
    stream = encoded(events)
    assert_chunking_free(make, stream, data.draw(chunkings(stream)))


JUNK = st.binary(max_size=20) | st.sampled_from(
    [
        b"\n\n",
        b"\r",
        b"data: {}\n\n",
        b"event: error\n",
        sse(BEGIN),
        sse(STOP),
        sse(stop(0)),
        sse(start(0, TOOL)),
    ]
)


@given(event_streams(), JUNK, st.data())
def test_junk_anywhere_gives_a_legal_stream(
    events: list[StreamEvent], junk: bytes, data: st.DataObject
) -> None:
    stream = encoded(events)
    assert_junk_is_legal(make, stream, junk, data.draw(st.integers(0, len(stream))))


@given(event_streams(), st.data())
def test_a_truncated_stream_fails(events: list[StreamEvent], data: st.DataObject) -> None:
    stream = encoded(events)
    end = stream.rindex(b"event: message_delta")
    assert_truncation_fails(make, stream, data.draw(st.integers(0, end)))
