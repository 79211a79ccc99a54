from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.adapters.dialects.openai_responses.seals import rebuilt
from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.dialect import StreamDecoder
from ccr.domain.conversation import Opaque, ServerToolCall, ServerToolResult
from ccr.domain.errors import (
    ContextOverflowError,
    GatewayError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ToolInputDelta,
)
from ccr.domain.usage import Usage
from tests.support.outlines import folded, outline
from tests.support.responses import (
    about,
    added,
    arguments,
    completed,
    created,
    decode,
    done,
    event,
    response,
    text,
    thought,
)
from tests.support.strategies import (
    assert_chunking_free,
    assert_junk_is_legal,
    assert_truncation_fails,
    chunkings,
)

USED = Usage(input_uncached=60, cache_read=40, output=7, reasoning=3)
CALL = {"call_id": "call_1", "name": "Read", "id": "fc_1"}


def message(words: str, index: int = 0, **part: object) -> bytes:
    content = [{"type": "output_text", "text": words, "annotations": [], **part}]
    return done(index, "message", id="msg_1", role="assistant", status="completed", content=content)


def failed(events: list[StreamEvent]) -> GatewayError:
    last = events[-1]
    assert isinstance(last, StreamFailed)
    return last.error


# ------------------------------------------------------------------------------------------- what there is


def test_text_comes_as_it_is_written() -> None:
    events = decode([created(), added(0, "message"), text("Hel"), text("lo"), message("Hello"), completed()])

    assert outline(events) == ["text:Hello", "end_turn"]
    assert [TextDelta("Hel"), TextDelta("lo")] == [e for e in events if isinstance(e, TextDelta)]
    assert events[0] == MessageStart("resp_1", "m")
    assert folded(events).reply().usage == USED


def test_what_the_deltas_left_out_is_taken_from_the_end() -> None:
    reads = [
        created(),
        added(0, "message"),
        text("Hel"),
        about("output_text.done", content_index=0, text="Hello"),
        message("Hello!"),
        added(1, "function_call", **CALL),
        about("function_call_arguments.done", 1, arguments='{"a":1}'),
        done(1, "function_call", **CALL, arguments='{"a":1}'),
        completed(),
    ]

    assert outline(decode(reads)) == ["text:Hello!", 'tool:call_1:Read:{"a":1}', "tool_use"]


def test_items_that_were_never_announced_are_taken_from_the_whole_response() -> None:
    output = [
        {"type": "message", "content": [{"type": "output_text", "text": "A"}]},
        {"type": "function_call", **CALL, "arguments": "{}"},
    ]

    assert outline(decode([created(), completed(output=output)])) == [
        "text:A",
        "tool:call_1:Read:{}",
        "tool_use",
    ]
    begun = [created(), added(0, "message"), text("A"), completed(output=output)]
    assert outline(decode(begun)) == ["text:A", "tool:call_1:Read:{}", "tool_use"]


def test_items_told_already_are_not_taken_twice() -> None:
    output = [{"type": "message", "content": [{"type": "output_text", "text": "A"}]}]
    reads = [created(), text("A", 3), message("A", 3), completed(output=output)]

    assert outline(decode(reads)) == ["text:A", "end_turn"]


def test_items_written_side_by_side_come_one_after_the_other() -> None:
    reads = [
        created(),
        added(0, "function_call", **CALL),
        added(1, "function_call", call_id="call_2", name="Bash"),
        arguments('{"b', 1),
        arguments('{"a', 0),
        arguments('":1}', 1),
        done(1, "function_call", call_id="call_2", name="Bash", arguments='{"b":1}'),
        arguments('":0}', 0),
        done(0, "function_call", **CALL, arguments='{"a":0}'),
        completed(),
    ]

    events = decode(reads)

    assert outline(events) == ['tool:call_1:Read:{"a":0}', 'tool:call_2:Bash:{"b":1}', "tool_use"]
    assert [e.text for e in events if isinstance(e, ToolInputDelta)] == ['{"a', '":0}', '{"b', '":1}']


def test_a_call_opens_before_its_input_comes() -> None:
    events = decode([created(), added(0, "function_call", **CALL)], close=False)

    assert isinstance(events[-1], BlockStart)


def test_the_parts_of_a_message_are_blocks() -> None:
    content = [{"type": "output_text", "text": "A"}, {"type": "output_text", "text": "B"}]
    reads = [
        created(),
        added(0, "message"),
        text("A"),
        about("content_part.done", content_index=0, part=content[0]),
        text("B", part=1),
        done(0, "message", content=content),
        completed(),
    ]

    assert outline(decode(reads)) == ["text:A", "text:B", "end_turn"]
    del reads[3]
    assert outline(decode(reads)) == ["text:A", "text:B", "end_turn"]


def test_a_message_without_text_is_no_block() -> None:
    reads = [created(), added(0, "message"), text(""), message(""), completed()]

    assert outline(decode(reads)) == ["end_turn"]


def test_a_summary_is_thinking_with_a_seal_that_rebuilds_its_item() -> None:
    item = {
        "id": "rs_1",
        "summary": [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}],
        "encrypted_content": "gAAA==",
    }
    reads = [
        created(),
        added(0, "reasoning", id="rs_1", summary=[]),
        thought("On"),
        thought("e"),
        about("reasoning_summary_text.done", summary_index=0, text="One"),
        thought("Two", part=1),
        done(0, "reasoning", **item),
        message("A", 1),
        completed(),
    ]

    events = decode(reads)
    (seal,) = (e.seal for e in events if isinstance(e, SealDelta))

    assert outline(events) == ["thinking:One\n\nTwo", "text:A", "end_turn"]
    assert seal.form == "reasoning"
    assert seal.origin.dialect == "openai_responses"
    assert rebuilt(seal) == {"type": "reasoning", **item}
    assert seal.data.isascii()


def test_a_summary_that_came_only_at_the_end_is_thinking() -> None:
    summary = [{"type": "summary_text", "text": "One"}, {"type": "summary_text", "text": "Two"}]

    assert outline(decode([created(), done(0, "reasoning", id="rs_1", summary=summary), completed()])) == [
        "thinking:One\n\nTwo",
        "end_turn",
    ]


def test_reasoning_in_the_open_is_thinking_and_goes_back_as_content() -> None:
    content = [{"type": "reasoning_text", "text": "hm"}]
    reads = [
        created(),
        about("reasoning_text.delta", content_index=0, delta="h"),
        about("reasoning_text.done", content_index=0, text="hm"),
        done(0, "reasoning", id="rs_1", summary=[], content=content),
        completed(),
    ]

    events = decode(reads)
    (seal,) = (e.seal for e in events if isinstance(e, SealDelta))

    assert outline(events) == ["thinking:hm", "end_turn"]
    assert rebuilt(seal) == {"type": "reasoning", "id": "rs_1", "summary": [], "content": content}
    only = decode([created(), done(0, "reasoning", id="r", content=content), completed()])
    assert outline(only) == ["thinking:hm", "end_turn"]


def test_reasoning_that_is_hidden_is_redacted_and_nothing_is_nothing() -> None:
    hidden = decode([created(), done(0, "reasoning", id="r", summary=[], encrypted_content="x"), completed()])
    nothing = decode([created(), done(0, "reasoning", id="r", summary=[]), completed()])

    assert outline(hidden) == ["thinking:", "end_turn"]
    assert any(isinstance(e, SealDelta) for e in hidden)
    assert outline(nothing) == ["end_turn"]


def test_a_freeform_call_has_text_as_its_input() -> None:
    reads = [
        created(),
        added(0, "custom_tool_call", call_id="c", name="apply_patch", input=""),
        about("custom_tool_call_input.delta", delta="*** Begin"),
        about("custom_tool_call_input.done", input="*** Begin Patch"),
        done(0, "custom_tool_call", call_id="c", name="apply_patch", input="*** Begin Patch"),
        completed(),
    ]

    assert outline(decode(reads)) == ["tool:c:apply_patch:*** Begin Patch", "tool_use"]


def test_a_call_in_a_namespace_has_a_flat_name() -> None:
    item = {"call_id": "c", "name": "find", "namespace": "mcp__docs", "arguments": "{}"}

    assert outline(decode([created(), done(0, "function_call", **item), completed()]))[0] == (
        "tool:c:mcp__docs__find:{}"
    )


def test_the_name_of_a_call_may_come_at_its_end() -> None:
    reads = [
        created(),
        arguments('{"a":1}'),
        done(0, "function_call", **CALL, arguments='{"a":1}'),
        completed(),
    ]

    assert outline(decode(reads)) == ['tool:call_1:Read:{"a":1}', "tool_use"]


def test_a_call_without_call_id_is_known_by_its_item() -> None:
    item = {"id": "fc_9", "name": "Read", "arguments": "{}"}

    assert (
        outline(decode([created(), done(0, "function_call", **item), completed()]))[0] == "tool:fc_9:Read:{}"
    )


def test_citations() -> None:
    first = {"type": "url_citation", "url": "https://a", "title": "A", "start_index": 0, "end_index": 3}
    second = {"type": "file_citation", "file_id": "f", "filename": "F", "index": 1}
    reads = [
        created(),
        text("see"),
        about("output_text.annotation.added", content_index=0, annotation=first),
        about("output_text.annotation.added", content_index=0, annotation=None),
        message("see", annotations=[first, second]),
        completed(),
    ]

    found = [e.citation for e in decode(reads) if isinstance(e, CitationDelta)]

    assert [(c.kind, c.url, c.title, c.start, c.end) for c in found] == [
        ("url", "https://a", "A", 0, 3),
        ("file_citation", "", "F", None, None),
    ]
    assert found[0].rest is not None
    assert msgspec.json.decode(found[0].rest.data) == first


def test_a_web_search_is_a_server_tool_with_its_results() -> None:
    action = {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a"}, 3]}
    reads = [
        created(),
        added(0, "web_search_call", id="ws_1"),
        about("web_search_call.searching", item_id="ws_1"),
        done(0, "web_search_call", id="ws_1", status="completed", action=action),
        message("A", 1),
        completed(),
    ]

    events = decode(reads)
    asked, found, _ = folded(events).reply().blocks

    assert isinstance(asked, ServerToolCall)
    assert isinstance(found, ServerToolResult)
    assert (asked.id, asked.name) == ("ws_1", "web_search")
    assert b'"query":"q"' in getattr(asked.input, "data", b"")
    assert (found.call_id, found.kind, found.dialect) == (
        "ws_1",
        "web_search_tool_result",
        "openai_responses",
    )
    assert msgspec.json.decode(found.content.data) == [
        {
            "type": "web_search_result",
            "url": "https://a",
            "title": "https://a",
            "page_age": None,
            "encrypted_content": "",
        }
    ]
    assert folded(events).reply().usage.searches == 1
    assert folded(events).reply().reason is StopReason.END_TURN


@pytest.mark.parametrize(
    "item, content",
    [
        ({"status": "failed", "action": {"type": "search", "queries": ["q"]}}, "unavailable"),
        ({"status": "completed"}, "[]"),
        ({"status": "completed", "action": {"type": "search", "query": 3, "queries": []}}, "[]"),
    ],
)
def test_a_web_search_that_found_nothing(item: dict[str, Any], content: str) -> None:
    (asked, found) = (
        folded(decode([created(), done(0, "web_search_call", **item), completed()])).reply().blocks
    )

    assert isinstance(asked, ServerToolCall)
    assert isinstance(found, ServerToolResult)
    assert asked.id == found.call_id == "ws_1"
    assert content in found.content.data.decode()


@pytest.mark.parametrize(
    "item",
    [
        {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "AAAA"},
        {"type": "web_search_call", "id": "ws_1", "action": {"type": "open_page", "url": "https://a"}},
        {"type": "a_later_thing", "id": "x"},
    ],
)
def test_other_items_are_carried_whole(item: dict[str, Any]) -> None:
    (block,) = (
        folded(
            decode(
                [
                    created(),
                    done(0, kind=item["type"], **{k: v for k, v in item.items() if k != "type"}),
                    completed(),
                ]
            )
        )
        .reply()
        .blocks
    )

    assert isinstance(block, Opaque)
    assert block.kind == item["type"]
    assert msgspec.json.decode(block.data.data) == item


# ------------------------------------------------------------------------------------------------ its end


def test_a_refusal_is_text_and_its_reason() -> None:
    reads = [
        created(),
        about("refusal.delta", content_index=0, delta="I ca"),
        about("refusal.done", content_index=0, refusal="I can't"),
        done(0, "message", content=[{"type": "refusal", "refusal": "I can't"}]),
        completed(),
    ]

    assert outline(decode(reads)) == ["text:I can't", "refusal"]
    whole = [created(), done(0, "message", content=[{"type": "refusal", "refusal": "No"}]), completed()]
    assert outline(decode(whole)) == ["text:No", "refusal"]


@pytest.mark.parametrize(
    "details, reason",
    [
        ({"reason": "max_output_tokens"}, StopReason.MAX_TOKENS),
        ({"reason": "content_filter"}, StopReason.REFUSAL),
        ({"reason": "steered"}, StopReason.END_TURN),
        (None, StopReason.END_TURN),
    ],
)
def test_a_reply_that_is_incomplete(details: object, reason: StopReason) -> None:
    reads = [created(), text("A"), completed("incomplete", incomplete_details=details)]
    last = decode(reads)[-1]

    assert isinstance(last, MessageStop)
    assert last.reason is reason


@pytest.mark.parametrize(
    "error, kind",
    [
        ({"code": "rate_limit_exceeded", "message": "slow"}, UpstreamLimitedError),
        ({"code": "server_is_overloaded", "message": "busy"}, UpstreamLimitedError),
        ({"code": "server_error", "message": "oops"}, UpstreamUnavailableError),
        (
            {"code": "context_length_exceeded", "message": "Your input exceeds the context window"},
            ContextOverflowError,
        ),
        ({"code": "invalid_prompt", "message": "no"}, UpstreamRejectedError),
        (None, UpstreamUnavailableError),
    ],
)
def test_a_reply_that_failed(error: object, kind: type[GatewayError]) -> None:
    assert isinstance(failed(decode([created(), text("A"), completed("failed", error=error)])), kind)


def test_error_events() -> None:
    plain = event("error", code="rate_limit_exceeded", message="slow", param=None)
    wrapped = event("error", error={"type": "insufficient_quota", "message": "no money"})
    bare = b'data: {"error":{"message":"odd","code":"server_error"}}\n\n'

    assert failed(decode([created(), plain])).message == "slow"
    assert failed(decode([created(), wrapped])).message == "no money"
    assert failed(decode([bare])).message == "odd"


def test_a_cut_is_no_end() -> None:
    for reads in ([], [created()], [created(), text("A"), message("A")], [created(), b"data: [DONE]\n\n"]):
        assert failed(decode(reads)).message == "the provider's reply ended before it was complete"


@pytest.mark.parametrize(
    "junk",
    [
        b"data: junk\n\n",
        b'data: {"type":"response.output_item.done","item":3}\n\n',
        b'data: {"type":"response.completed"}\n\n',
        b'data: {"type":"response.completed","response":{"output":3}}\n\n',
    ],
)
def test_junk_is_a_failure(junk: bytes) -> None:
    assert isinstance(failed(decode([created(), junk])), UpstreamProtocolError)


def test_a_call_without_a_name_is_a_failure() -> None:
    reads = [created(), arguments("{}"), done(0, "function_call", arguments="{}")]

    assert "without a name" in failed(decode(reads)).message


def test_what_is_not_known_or_empty_says_nothing() -> None:
    reads = [
        event("response.queued"),
        event("response.of_a_later_day"),
        b'data: {"type":""}\n\n',
        event("response.output_item.added", output_index=0),
        event("response.output_item.done", output_index=0, item=None),
        event("response.content_part.done", output_index=1, content_index=0),
        text("A", 2),
        completed(),
    ]

    assert outline(decode(reads)) == ["text:A", "end_turn"]


def test_nothing_after_the_end_is_read() -> None:
    assert outline(decode([created(), completed() + text("late"), text("later")])) == ["end_turn"]


def test_half_a_character_is_mended() -> None:
    reads = [created(), b'data: {"type":"response.output_text.delta","delta":"a\\ud83d"}\n\n', completed()]

    assert outline(decode(reads)) == ["text:a�", "end_turn"]


def test_an_index_used_twice_is_two_items() -> None:
    reads = [
        created(),
        added(0, "function_call", **CALL),
        arguments("{}"),
        added(0, "function_call", call_id="call_2", name="Bash"),
        arguments('{"b":1}'),
        completed(),
    ]

    assert outline(decode(reads)) == ["tool:call_1:Read:{}", 'tool:call_2:Bash:{"b":1}', "tool_use"]


def test_items_that_change_their_kind_stay_legal() -> None:
    seal = {"summary": [{"type": "summary_text", "text": "s"}], "encrypted_content": "x"}
    annotation = {"type": "url_citation", "url": "u"}
    reads = [
        created(),
        text("A"),
        done(0, "reasoning", id="r", **seal),
        added(1, "function_call", **CALL),
        about("output_text.annotation.added", 1, content_index=0, annotation=annotation),
        text("{}", 1),
        thought("t", 2),
        text("u", 2),
        completed(),
    ]

    assert outline(decode(reads))[-1] == "tool_use"


# --------------------------------------------------------------------------------- a body in place of a stream


def test_a_whole_response_in_place_of_a_stream() -> None:
    body = msgspec.json.encode(
        response("completed", output=[{"type": "message", "content": [{"type": "output_text", "text": "A"}]}])
    )

    assert outline(decode([b" \n", body[:9], body[9:]])) == ["text:A", "end_turn"]
    assert failed(decode([b'{"error":{"message":"no","code":"server_error"}}'])).message == "no"
    assert isinstance(failed(decode([b"{}"])), UpstreamProtocolError)


def test_a_body_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.wire.sniffing._WHOLE_LIMIT", 10)

    assert "longer than 10 bytes" in failed(decode([b'{"a":1', b',"b":2}'])).message


# ---------------------------------------------------------------------------------------------- properties

ITEM = {"id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}], "encrypted_content": "gA=="}
STREAM = b"".join(
    [
        created(),
        added(0, "reasoning", id="rs_1", summary=[]),
        thought("hm"),
        done(0, "reasoning", **ITEM),
        added(1, "message"),
        text("h\u00e9 ", 1),
        text("\U0001f600", 1),
        message("h\u00e9 \U0001f600", 1),
        added(2, "function_call", **CALL),
        added(3, "function_call", call_id="call_2", name="Bash"),
        arguments('{"b":1}', 3),
        arguments('{"a":1}', 2),
        done(3, "function_call", call_id="call_2", name="Bash", arguments='{"b":1}'),
        done(2, "function_call", **CALL, arguments='{"a":1}'),
        completed(),
    ]
)
END = STREAM.rindex(b"event: response.completed")


def make() -> StreamDecoder:
    return ResponsesProvider().stream_decoder(SseFramer())


@given(chunkings(STREAM))
def test_any_chunking_gives_the_same_events(pieces: list[bytes]) -> None:
    assert_chunking_free(make, STREAM, pieces)


@given(
    st.binary(max_size=20) | st.sampled_from([b"data: {}\n\n", b"data: [1]\n\n", b"\n\n", text("x", 9)]),
    st.integers(0, len(STREAM)),
)
def test_any_junk_gives_a_legal_stream(junk: bytes, at: int) -> None:
    assert_junk_is_legal(make, STREAM, junk, at)


@given(st.integers(0, END))
def test_any_cut_fails(at: int) -> None:
    assert_truncation_fails(make, STREAM, at)
