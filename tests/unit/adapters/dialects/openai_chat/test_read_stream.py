from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.segments import SYNTHETIC_SEAL
from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.dialect import StreamDecoder
from ccr.domain.conversation import Citation, Text, Thinking
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    MessageStart,
    MessageStop,
    SealDelta,
    TextDelta,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE, Usage
from tests.support.chat import DONE, chunk, decode, finish, folded, outline, piece, text, thought, tool, usage
from tests.support.strategies import (
    assert_chunking_free,
    assert_junk_is_legal,
    assert_truncation_fails,
    chunkings,
)

USED = Usage(input_uncached=60, cache_read=40, output=7)


# --------------------------------------------------------------------- ccr-behaviour.md, Appendix A.3, "Correct"


def test_text_in_two_deltas() -> None:
    events = decode([text("Hel"), text("lo"), finish(), usage(), DONE])
    assert outline(events) == ["text:Hello", "end_turn"]
    assert [TextDelta("Hel"), TextDelta("lo")] == [e for e in events if isinstance(e, TextDelta)]
    assert folded(events).reply().usage == USED


def test_finish_usage_and_done_in_one_read_keep_the_usage() -> None:
    events = decode([text("Hello"), finish() + usage() + DONE])
    assert folded(events).reply().usage == USED


def test_text_after_a_tool_call_is_a_block_of_its_own() -> None:
    events = decode(
        [text("A"), tool('{"x":1}', call="t", name="Read"), text("B"), finish("tool_calls"), DONE]
    )
    assert outline(events) == ["text:A", 'tool:t:Read:{"x":1}', "text:B", "tool_use"]


def test_interleaved_parallel_calls_come_one_after_the_other() -> None:
    reads = [
        tool('{"a', index=0, call="t0", name="Read"),
        tool('{"b', index=1, call="t1", name="Bash"),
        tool('":0}', index=0),
        tool('":1}', index=1),
        finish("tool_calls"),
        DONE,
    ]
    assert outline(decode(reads)) == ['tool:t0:Read:{"a":0}', 'tool:t1:Bash:{"b":1}', "tool_use"]


def test_reasoning_after_text_is_a_new_thinking_block() -> None:
    events = decode([thought("t1"), text("A"), thought("t2"), text("B"), finish(), DONE])
    assert outline(events) == ["thinking:t1", "text:A", "thinking:t2", "text:B", "end_turn"]


def test_reasoning_before_a_tool_call_gets_a_marked_seal() -> None:
    events = decode([thought("t1"), tool("{}", call="t", name="Read"), finish("tool_calls"), DONE])
    assert outline(events) == ["thinking:t1", "tool:t:Read:{}", "tool_use"]
    assert [SealDelta(SYNTHETIC_SEAL)] == [e for e in events if isinstance(e, SealDelta)]
    assert SYNTHETIC_SEAL.form == "ccr"
    assert SYNTHETIC_SEAL.data.startswith("ccr:")


def test_an_error_in_a_chunk_ends_the_reply() -> None:
    events = decode([text("A"), b'data: {"error":{"message":"no","code":503}}\n\n', DONE])
    assert outline(events) == ["text:A", "failed:upstream_unavailable"]


def test_a_cut_is_a_failure() -> None:
    assert outline(decode([text("A")])) == ["text:A", "failed:upstream_protocol"]


def test_no_chunks_at_all_is_a_failure() -> None:
    assert outline(decode([])) == ["failed:upstream_protocol"]
    assert outline(decode([DONE])) == ["failed:upstream_protocol"]


def test_a_last_line_without_a_newline_counts() -> None:
    last = chunk({"content": "B"}, "length").rstrip(b"\n")
    assert outline(decode([text("A"), last])) == ["text:AB", "max_tokens"]


def test_an_empty_delta_with_a_finish_reason_counts() -> None:
    events = decode([tool('{"x":1}', call="t", name="Read"), finish("tool_calls")])
    assert outline(events) == ['tool:t:Read:{"x":1}', "tool_use"]


# ---------------------------------------------------------------------------------------- framing and junk


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
@pytest.mark.parametrize("space", [b"", b" "])
def test_any_line_end_and_no_space_after_data(end: bytes, space: bytes) -> None:
    whole = text("é😀") + finish() + DONE
    assert outline(decode([whole.replace(b"data: ", b"data:" + space).replace(b"\n", end)])) == [
        "text:é😀",
        "end_turn",
    ]


def test_comments_and_blank_data_are_nothing() -> None:
    noise = b": OPENROUTER PROCESSING\n\ndata:\n\n\n\n"
    assert outline(decode([noise, text("A"), noise, finish(), noise, DONE, text("late")])) == [
        "text:A",
        "end_turn",
    ]


@pytest.mark.parametrize("junk", [b"data: nonsense\n\n", b"data: [1]\n\n", b'data: {"choices": 5}\n\n'])
def test_a_line_that_is_no_chunk_is_a_failure(junk: bytes) -> None:
    assert outline(decode([text("A"), junk, finish(), DONE])) == ["text:A", "failed:upstream_protocol"]


def test_html_in_place_of_a_stream_is_a_failure() -> None:
    assert outline(decode([b"<html>busy</html>"])) == ["failed:upstream_protocol"]


def test_an_event_over_the_bound_is_a_failure() -> None:
    decoder = OpenAIChatProvider().stream_decoder(SseFramer(limit=10))
    events = decoder.feed(b"data: " + b"x" * 100)
    assert outline(events) == ["failed:upstream_protocol"]
    assert decoder.feed(text("A")) == []
    assert decoder.close() == []


def test_a_lone_surrogate_costs_one_character() -> None:
    bad = b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n'
    assert outline(decode([bad, finish(), DONE])) == ["text:a�", "end_turn"]


def test_nothing_after_done_counts() -> None:
    assert outline(decode([text("A") + finish() + DONE + text("late")])) == ["text:A", "end_turn"]


@pytest.mark.parametrize(
    "field",
    [
        b'{"error":%s}',
        b'{"choices":[{"delta":{"content":[{"text":%s}]}}]}',
        b'{"choices":[{"delta":{"annotations":[{"url_citation":{"x":%s}}]}}]}',
        b'{"choices":[{"delta":{"tool_calls":[{"function":{"name":"f","arguments":%s}}]}}]}',
    ],
)
def test_deeply_nested_junk_raises_nothing(field: bytes) -> None:
    for deep in (
        b'{"error":' * 400 + b"1" + b"}" * 400,
        b'[{"text":' * 400 + b"1" + b"}]" * 400,
        b"[" * 2000,
    ):
        decode([b"data: " + field % deep + b"\n\n", finish(), DONE])


def test_done_without_a_reason_to_stop_is_a_failure() -> None:
    """Relays in between write [DONE] after a cut as well."""
    assert outline(decode([text("A"), DONE])) == ["text:A", "failed:upstream_protocol"]


# --------------------------------------------------------------------------------- a body in place of a stream


def whole(message: dict[str, Any], finish_reason: str | None = "stop", **fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish_reason}
    return msgspec.json.encode({"id": "c1", "model": "m", "choices": [choice], **fields})


def test_a_json_body_in_place_of_a_stream_is_read() -> None:
    body = b" \n" + whole({"content": "Hello", "tool_calls": [piece('{"x":1}', None, "a", "Read")]})
    assert outline(decode([bytes([byte]) for byte in body])) == [
        "text:Hello",
        'tool:a:Read:{"x":1}',
        "tool_use",
    ]


def test_a_json_error_in_place_of_a_stream_is_the_error() -> None:
    assert outline(decode([b'{"error":{"code":429,"message":"slow down"}}'])) == ["failed:upstream_limited"]


def test_a_json_body_that_was_cut_is_a_failure() -> None:
    assert outline(decode([whole({"content": "Hello"})[:-3]])) == ["failed:upstream_protocol"]


def test_a_json_body_over_the_bound_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.wire.sniffing._WHOLE_LIMIT", 10)
    assert outline(decode([whole({"content": "Hello"})])) == ["failed:upstream_protocol"]


# ------------------------------------------------------------------------------------------ fields of reasoning


@pytest.mark.parametrize(
    "delta",
    [
        {"reasoning_content": "hm"},
        {"reasoning": "hm"},
        {"reasoning_text": "hm"},
        {"reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}, "odd"]},
        {"reasoning": "hm", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}]},
    ],
)
def test_reasoning_in_any_field(delta: dict[str, Any]) -> None:
    assert outline(decode([chunk(delta), text("A"), finish(), DONE])) == ["thinking:hm", "text:A", "end_turn"]


def test_content_as_a_list_of_parts() -> None:
    parts = [{"type": "text", "text": "A"}, "odd", {"type": "text", "text": ""}, {"type": "image"}]
    assert outline(decode([chunk({"content": parts}), finish(), DONE])) == ["text:A", "end_turn"]


def test_odd_content_is_nothing() -> None:
    assert outline(decode([chunk({"content": 5, "annotations": 5}), finish(), DONE])) == ["end_turn"]


def test_blank_text_between_calls_opens_no_block() -> None:
    reads = [text("\n"), tool('{"x":1}', call="t", name="Read"), text("\n\n"), finish("tool_calls"), DONE]
    assert outline(decode(reads)) == ['tool:t:Read:{"x":1}', "tool_use"]


def test_leading_blanks_stay_with_the_text() -> None:
    assert outline(decode([text("\n"), text("A"), finish(), DONE])) == ["text:\nA", "end_turn"]


# ------------------------------------------------------------------------------------------------- tool calls


def calls(*deltas: bytes, reason: str = "tool_calls") -> list[str]:
    return outline(decode([*deltas, finish(reason), DONE]))


def test_arguments_in_pieces_are_streamed_as_they_come() -> None:
    decoder_events = decode([tool("", call="t", name="Read"), tool('{"a"'), tool(":1}")], close=False)
    assert outline(decoder_events) == ['tool:t:Read:{"a":1}']


def test_a_call_in_one_chunk_with_its_end() -> None:
    delta = {"tool_calls": [piece('{"a":1}', 0, "t", "Read")]}
    assert outline(decode([chunk(delta, "stop"), DONE])) == ['tool:t:Read:{"a":1}', "tool_use"]


def test_a_message_in_the_last_chunk_in_place_of_deltas() -> None:
    last = {"index": 0, "delta": {}, "finish_reason": "stop"}
    message = {"content": "A", "tool_calls": [piece('{"a":1}', None, "t", "Read")]}
    data = chunk(None, choices=[{**last, "message": message}])
    assert outline(decode([chunk({"content": ""}), data, DONE])) == [
        "text:A",
        'tool:t:Read:{"a":1}',
        "tool_use",
    ]


def test_a_message_after_its_deltas_is_not_read_twice() -> None:
    last = {"index": 0, "delta": {}, "message": {"content": "A"}, "finish_reason": "stop"}
    assert outline(decode([text("A"), chunk(None, choices=[last]), DONE])) == ["text:A", "end_turn"]


def test_arguments_as_an_object() -> None:
    assert calls(tool({"a": 1}, call="t", name="Read")) == ['tool:t:Read:{"a":1}', "tool_use"]


def test_a_late_id_is_waited_for() -> None:
    assert calls(tool('{"a"', name="Read"), tool(":1}", call="t9")) == ['tool:t9:Read:{"a":1}', "tool_use"]


def test_missing_ids_are_made_up_and_always_the_same() -> None:
    deltas = [tool('{"a":1}', name="Read"), tool('{"b":1}', index=1, name="Read")]
    expected = ['tool:call_0_c1:Read:{"a":1}', 'tool:call_1_c1:Read:{"b":1}', "tool_use"]
    assert expected == calls(*deltas)


def test_an_id_used_twice_is_made_unique() -> None:
    deltas = [tool('{"a":1}', 0, "same", "Read"), tool('{"b":1}', 1, "same", "Read")]
    assert calls(*deltas) == ['tool:same:Read:{"a":1}', 'tool:call_1_c1:Read:{"b":1}', "tool_use"]


def test_a_name_in_two_pieces_is_joined() -> None:
    assert calls(tool(call="t", name="Re"), tool("{}", name="ad")) == ["tool:t:Read:{}", "tool_use"]


def test_a_name_repeated_with_every_piece_is_not_joined() -> None:
    deltas = [tool("", 0, "t", "Read"), tool('{"a"', 0, "t", "Read"), tool(":1}", 0, "t", "Read")]
    assert calls(*deltas) == ['tool:t:Read:{"a":1}', "tool_use"]
    assert calls(
        tool("", 0, "t", "Read"),
        tool('{"a"', 0, None, "Read"),
        tool(":1}", 0, None, "Read"),
        tool("", 0, None, "Read"),
    ) == ['tool:t:Read:{"a":1}', "tool_use"]


def test_calls_without_an_index() -> None:
    deltas = [
        chunk({"tool_calls": [piece('{"a":1}', None, "t0", "Read"), piece('{"b', None, "t1", "Bash")]}),
        tool('":1}', None),
        tool('{"c":1}', None, None, "Grep"),
    ]
    expected = ['tool:t0:Read:{"a":1}', 'tool:t1:Bash:{"b":1}', 'tool:call_2_c1:Grep:{"c":1}', "tool_use"]
    assert expected == calls(*deltas)


def test_an_index_used_for_two_calls() -> None:
    deltas = [tool('{"a":1}', 0, "t0", "Read"), tool('{"b":1}', 0, "t1", "Read")]
    assert calls(*deltas) == ['tool:t0:Read:{"a":1}', 'tool:t1:Read:{"b":1}', "tool_use"]


def test_an_index_used_for_two_calls_without_ids() -> None:
    deltas = [tool('{"a":1}', 0, None, "Read"), tool('{"b":1}', 0, None, "Read"), tool("{}", 0, None, "Grep")]
    expected = [
        'tool:call_0_c1:Read:{"a":1}',
        'tool:call_1_c1:Read:{"b":1}',
        "tool:call_2_c1:Grep:{}",
        "tool_use",
    ]
    assert expected == calls(*deltas)


def test_an_odd_index_is_an_index() -> None:
    odd = chunk({"tool_calls": [{"index": 1.5, "id": 7, "function": {"name": "Read", "arguments": "{}"}}]})
    assert calls(odd) == ["tool:call_0_c1:Read:{}", "tool_use"]


def test_the_one_call_of_a_server_of_2023() -> None:
    call = [{"name": "Read", "arguments": ""}, {"arguments": '{"x":'}, {"arguments": "1}"}]
    events = decode([*(chunk({"function_call": part}) for part in call), finish("function_call"), DONE])
    assert outline(events) == ['tool:call_0_c1:Read:{"x":1}', "tool_use"]


def test_a_call_without_arguments() -> None:
    assert calls(tool(call="t", name="Read")) == ["tool:t:Read:{}", "tool_use"]
    assert calls(tool("null", call="t", name="Read")) == ["tool:t:Read:{}", "tool_use"]
    assert calls(tool("  ", call="t", name="Read")) == ["tool:t:Read:{}", "tool_use"]


def test_an_empty_object_before_the_arguments_is_a_placeholder() -> None:
    assert calls(tool("{}", call="t", name="Read"), tool('{"a":1}')) == ['tool:t:Read:{"a":1}', "tool_use"]


def test_text_in_the_middle_of_arguments_comes_after_them() -> None:
    deltas = [tool('{"a"', call="t", name="Read"), text("B"), tool(":1}"), text("C")]
    assert calls(*deltas) == ['tool:t:Read:{"a":1}', "text:BC", "tool_use"]


def test_a_brace_in_the_middle_of_arguments_is_not_their_end() -> None:
    deltas = [tool('{"a":{}', call="t", name="Read"), text("B"), text("C"), tool("}"), text("D")]
    assert calls(*deltas) == ['tool:t:Read:{"a":{}}', "text:BCD", "tool_use"]


def test_a_repetition_of_closed_arguments_is_ignored() -> None:
    deltas = [tool('{"a":1}', call="t", name="Read"), text("B"), tool('{"a":1}'), tool(" ")]
    assert calls(*deltas) == ['tool:t:Read:{"a":1}', "text:B", "tool_use"]


def test_more_arguments_after_closed_ones_are_a_failure() -> None:
    deltas = [tool('{"a":1}', call="t", name="Read"), text("B"), tool('{"b":1}')]
    assert calls(*deltas) == ['tool:t:Read:{"a":1}', "text:B", "failed:upstream_protocol"]


def test_broken_arguments_are_a_failure() -> None:
    assert calls(tool('{"a"', call="t", name="Read")) == ['tool:t:Read:{"a"', "failed:upstream_protocol"]


def test_broken_arguments_at_the_output_limit_stay_broken() -> None:
    expected = ["text:A", 'tool:t:Read:{"a"', "max_tokens"]
    assert expected == calls(text("A"), tool('{"a"', call="t", name="Read"), reason="length")


def test_a_waiting_call_with_broken_arguments_at_the_output_limit_is_dropped() -> None:
    deltas = [tool('{"a":1}', 0, "t0", "Read"), tool('{"b', 1, None, "Bash")]
    assert calls(*deltas, reason="length") == ['tool:t0:Read:{"a":1}', "max_tokens"]


def test_a_waiting_call_with_nearly_json_is_mended() -> None:
    deltas = [tool('{"a"', 0, "t0", "Read"), tool('{"b":1,}', 1, None, "Bash"), tool(":1}", 0)]
    assert calls(*deltas) == ['tool:t0:Read:{"a":1}', 'tool:call_1_c1:Bash:{"b":1}', "tool_use"]


def test_a_call_without_a_name_is_a_failure() -> None:
    assert calls(tool("{}", call="t")) == ["failed:upstream_protocol"]
    assert outline(decode([chunk({"tool_calls": [{"index": 0, "id": "t"}]}), finish(), DONE])) == [
        "failed:upstream_protocol"
    ]


# ---------------------------------------------------------------------------------------------- reasons to stop


@pytest.mark.parametrize(
    "said, reason",
    [
        ("stop", StopReason.END_TURN),
        ("tool_calls", StopReason.END_TURN),
        ("something new", StopReason.END_TURN),
        ("length", StopReason.MAX_TOKENS),
        ("content_filter", StopReason.REFUSAL),
        ("model_context_window_exceeded", StopReason.CONTEXT_WINDOW),
    ],
)
def test_reasons_of_a_reply_without_calls(said: str, reason: StopReason) -> None:
    assert reason is folded(decode([text("A"), finish(said), DONE])).reply().reason


def test_stop_with_calls_means_tool_use() -> None:
    assert calls(tool("{}", call="t", name="Read"), reason="stop") == ["tool:t:Read:{}", "tool_use"]


@pytest.mark.parametrize("said", ["error", "network_error", "insufficient_system_resource"])
def test_reasons_that_mean_failure(said: str) -> None:
    assert outline(decode([text("A"), finish(said), DONE])) == ["text:A", "failed:upstream_unavailable"]


def test_a_refusal_that_is_no_text_is_none() -> None:
    assert outline(decode([chunk({"content": "well", "refusal": [1]}), finish(), DONE])) == [
        "text:well",
        "end_turn",
    ]


def test_of_a_very_long_text_only_so_much_is_kept_to_be_compared() -> None:
    long = "x" * 20_000
    chunks = [chunk({"content": long}), chunk({"content": "y", "annotations": [1]}), chunk({"refusal": "y"})]

    assert outline(decode([*chunks, finish(), DONE])) == [f"text:{long}yy", "refusal"]


def test_a_refusal_in_its_own_field() -> None:
    assert outline(decode([chunk({"refusal": "I cannot"}), finish(), DONE])) == ["text:I cannot", "refusal"]


def test_the_stop_sequence_that_was_hit() -> None:
    last = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}
    reply = folded(decode([text("A"), chunk(None, choices=[last]), DONE])).reply()
    assert (reply.reason, reply.stop_sequence) == (StopReason.STOP_SEQUENCE, "END")


def test_an_empty_reply_with_a_reason_is_a_reply() -> None:
    """Models do end with nothing to say (P6)."""
    assert outline(decode([chunk({"content": None}), finish(), DONE])) == ["end_turn"]


# -------------------------------------------------------------------------------------------------- usage


def test_usage_before_the_reason_to_stop() -> None:
    assert folded(decode([text("A"), usage(), finish(), DONE])).reply().usage == USED


def test_usage_with_the_reason_to_stop_and_later_again() -> None:
    said = {"prompt_tokens": 90, "completion_tokens": 5}
    events = decode([text("A"), chunk({}, "stop", usage=said), usage(), usage(), DONE])
    assert len([event for event in events if isinstance(event, UsageUpdate)]) == 2
    assert folded(events).reply().usage == USED


def test_usage_known_at_the_start_is_in_the_start() -> None:
    said = {"prompt_tokens": 90, "completion_tokens": 0}
    start = decode([chunk({"content": "A"}, usage=said), finish(), DONE])[0]
    assert MessageStart("c1", "m", Usage(input_uncached=90, output=0)) == start


def test_usage_of_groq() -> None:
    last = chunk({}, "stop", x_groq={"usage": {"prompt_tokens": 1, "completion_tokens": 2}})
    assert Usage(input_uncached=1, output=2) == folded(decode([text("A"), last, DONE])).reply().usage


def test_no_usage_is_not_zero() -> None:
    stop = decode([text("A"), finish(), DONE])[-1]
    assert MessageStop(StopReason.END_TURN, usage=NO_USAGE) == stop


# ----------------------------------------------------------------------------------------------- citations


def annotation(url: str) -> dict[str, Any]:
    return {
        "type": "url_citation",
        "url_citation": {"url": url, "title": "T", "start_index": 0, "end_index": 1},
    }


def test_annotations_are_citations_of_the_open_text() -> None:
    events = decode(
        [text("A"), chunk({"annotations": [annotation("u"), {"type": "file"}, 5]}), finish(), DONE]
    )
    assert outline(events) == ["text:A[u]", "end_turn"]
    cited = folded(events).reply().blocks[0]
    assert isinstance(cited, Text)
    assert Citation("url", "", "u", "T", 0, 1, "openai_chat", cited.citations[0].rest) == cited.citations[0]


def test_annotations_before_the_text_wait_for_it() -> None:
    events = decode([chunk({"annotations": [annotation("u")]}), text("A"), finish(), DONE])
    assert outline(events) == ["text:A[u]", "end_turn"]


# ----------------------------------------------------------------------------------------------- errors in a 200


@pytest.mark.parametrize(
    "data, kind",
    [
        ({"error": {"code": 429, "message": "slow"}}, "upstream_limited"),
        ({"error": {"code": "invalid_api_key", "message": "no"}}, "upstream_auth"),
        ({"error": {"type": "invalid_request_error", "message": "no"}}, "upstream_rejected"),
        ({"error": "out of memory"}, "upstream_unavailable"),
        ({"error": {"code": 400, "message": "maximum context length is 10 tokens"}}, "context_overflow"),
        ({"code": 1234, "msg": "busy"}, "upstream_unavailable"),
        ({"choices": [{"delta": {}, "error": {"code": 502, "message": "bad"}}]}, "upstream_unavailable"),
        ({"choices": [], "x_groq": {"error": "over capacity"}}, "upstream_unavailable"),
        ({"error": {"code": 1}}, "upstream_unavailable"),
    ],
)
def test_errors_inside_a_stream(data: dict[str, Any], kind: str) -> None:
    events = decode([b"data: " + msgspec.json.encode(data) + b"\n\n", DONE])
    assert [f"failed:{kind}"] == outline(events)


def test_null_choices_are_nothing() -> None:
    data = b'data: {"id":"c1","choices":null,"usage":null}\n\n'
    assert outline(decode([data, text("A"), finish(), DONE])) == ["text:A", "end_turn"]


# ------------------------------------------------------------------------------------------------ properties

WORDS = st.text(st.characters(codec="utf-8"), max_size=8)
DETAIL = chunk({"reasoning": "a", "reasoning_details": [{"type": "reasoning.text", "text": "a", "index": 0}]})
FOUND = chunk({}, web_search=[{"link": "http://a", "title": "A"}])
CITED = chunk({"content": "b"}, citations=["http://a"])
PIECES = st.one_of(
    WORDS.map(text),
    WORDS.map(thought),
    st.builds(
        tool,
        st.sampled_from(["", "{}", '{"a"', ":1}", '{"b":2}', "null", " "]),
        st.sampled_from([None, 0, 1]),
        st.sampled_from([None, "t0", "t1"]),
        st.sampled_from([None, "Read", "Ba"]),
    ),
    st.builds(usage, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9)),
    st.sampled_from([DETAIL, FOUND, CITED]),
    st.sampled_from([finish(), finish("tool_calls"), finish("length"), DONE, b": ping\n\n"]),
    st.sampled_from([b"data: junk\n\n", b'data: {"error":"x"}\n\n', b"\xff\xfe", b"\r\n", b"data", b"{"]),
)


def make() -> StreamDecoder:
    return OpenAIChatProvider().stream_decoder(SseFramer())


@given(st.lists(PIECES, max_size=12).map(b"".join), st.data())
def test_the_events_do_not_depend_on_where_the_network_cuts(stream: bytes, data: st.DataObject) -> None:
    assert_chunking_free(make, stream, data.draw(chunkings(stream)))


@given(st.lists(PIECES, max_size=6).map(b"".join), st.binary(max_size=12), st.data())
def test_junk_anywhere_gives_a_legal_stream(stream: bytes, junk: bytes, data: st.DataObject) -> None:
    assert_junk_is_legal(make, stream, junk, data.draw(st.integers(0, len(stream))))


@given(st.lists(st.one_of(WORDS.map(text), WORDS.map(thought)), min_size=1, max_size=6), st.data())
def test_a_truncation_is_a_failure(deltas: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(deltas) + finish()
    assert_truncation_fails(make, stream, data.draw(st.integers(0, len(stream) - len(finish()))))


@given(st.lists(st.tuples(st.sampled_from(["text", "thinking"]), WORDS), max_size=8))
def test_nothing_that_was_said_is_lost(said: list[tuple[str, str]]) -> None:
    reads = [text(words) if kind == "text" else thought(words) for kind, words in said]
    blocks = folded(decode([*reads, finish(), DONE])).reply().blocks if said else ()
    got = "".join(block.text for block in blocks if isinstance(block, Text | Thinking))
    assert "".join("".join(words for _, words in said).split()) == "".join(got.split())


def test_choices_that_nobody_asked_for_are_left_out_wherever_they_stand() -> None:
    def said(index: int, content: str) -> dict[str, Any]:
        return {"index": index, "delta": {"content": content}}

    reads = [
        chunk(None, choices=[said(0, "A"), said(1, "x")]),
        chunk(None, choices=[said(1, "y"), said(0, "B")]),
        chunk(None, choices=[said(1, "z")]),
        finish(),
        DONE,
    ]

    assert outline(decode(reads)) == ["text:AB", "end_turn"]
