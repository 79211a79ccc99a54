from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import assume, given
from openai import omit
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.adapters.dialects.openai_responses.echo import Echo
from ccr.adapters.dialects.openai_responses.seals import seal_of
from ccr.adapters.wire.envelope import MARK, unwrap
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.conversation import (
    Citation,
    Image,
    Inline,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    Url,
)
from ccr.domain.errors import (
    ContextOverflowError,
    GatewayError,
    InternalError,
    UpstreamLimitedError,
    UpstreamUnavailableError,
)
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ToolInputDelta,
    UsageUpdate,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.responses import FACTS, client, frames
from tests.support.strategies import decoded, event_streams, meaning, replies

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
SIGNED = Seal(Origin("gemini", "g", "m"), "signature", "sig")
SEARCH = ServerToolCall("srv_1", "web_search", Json(b'{"query":"q"}'))
FOUND = ServerToolResult(
    "srv_1", "web_search_tool_result", Json(b'[{"type":"web_search_result","url":"https://a"}]'), "anthropic"
)


def encoded(events: Sequence[StreamEvent], echo: object = None, estimate: int = 0) -> bytes:
    encoder = client().stream_encoder(FACTS, echo, input_estimate=estimate)
    return b"".join(encoder.feed([event]) for event in events)


def written(
    *blocks: Any, echo: object = None, reason: StopReason = StopReason.END_TURN
) -> list[dict[str, Any]]:
    """Return the payloads of a reply of these blocks; the SDK has accepted each and the whole."""
    data = encoded(
        unfold(Reply("resp_9", "m", blocks, reason, usage=Usage(input_uncached=5, output=2))), echo
    )
    return accepted(data)


def accepted(data: bytes) -> list[dict[str, Any]]:
    payloads = frames(data)
    state: ResponseStreamState[Any] = ResponseStreamState(input_tools=[], text_format=omit)
    for payload in payloads:
        state.handle_event(EVENT.validate_python(payload, strict=True))
    return payloads


def kinds(payloads: list[dict[str, Any]]) -> list[str]:
    return [payload["type"].removeprefix("response.") for payload in payloads]


def output(payloads: list[dict[str, Any]]) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = payloads[-1]["response"]["output"]
    done = [payload["item"] for payload in payloads if payload["type"] == "response.output_item.done"]
    assert [item.get("id") for item in items] == [item.get("id") for item in done]
    return items


# ----------------------------------------------------------------------------------------------- sequences


def test_a_text_goes_through_every_event() -> None:
    payloads = written(Text("Hello"))

    assert kinds(payloads) == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    (item,) = output(payloads)
    assert item == {
        "id": "msg_ccr_t_1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "text": "Hello", "annotations": [], "logprobs": []}],
    }
    assert payloads[2]["item"] == {**item, "status": "in_progress", "content": []}
    assert payloads[4] == {
        "type": "response.output_text.delta",
        "sequence_number": 4,
        "item_id": "msg_ccr_t_1",
        "output_index": 0,
        "content_index": 0,
        "delta": "Hello",
        "logprobs": [],
    }
    whole = payloads[-1]["response"]
    assert (whole["id"], whole["model"], whole["created_at"]) == ("resp_9", "m", 1700000000)
    assert whole["status"] == "completed"
    assert whole["usage"] == {
        "input_tokens": 5,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": 2,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 7,
    }


def test_a_call_goes_through_every_event() -> None:
    payloads = written(ToolCall("call_1", "Read", Json(b'{"a":1}')), reason=StopReason.TOOL_USE)

    assert kinds(payloads)[2:-1] == [
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
    ]
    (item,) = output(payloads)
    assert item == {
        "id": "fc_ccr_t_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "Read",
        "arguments": '{"a":1}',
    }
    assert payloads[2]["item"] == {**item, "status": "in_progress", "arguments": ""}
    assert payloads[3]["item_id"] == payloads[4]["item_id"] == item["id"]


def test_a_call_whose_input_came_at_its_start_is_told_whole() -> None:
    start = ToolCall("c", "Read", Json(b'{"a":1}'))
    events: list[StreamEvent] = [
        MessageStart("r", "m"),
        BlockStart(0, start),
        BlockStop(0),
        MessageStop(StopReason.TOOL_USE),
    ]
    (item,) = output(accepted(encoded(events)))

    assert item["arguments"] == '{"a":1}'
    assert output(written(ToolCall("c", "Read")))[0]["arguments"] == "{}"


def test_thinking_goes_through_every_event() -> None:
    payloads = written(Thinking("hm", SIGNED))

    assert kinds(payloads)[2:-1] == [
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
    ]
    (item,) = output(payloads)
    assert item["summary"] == [{"type": "summary_text", "text": "hm"}]
    assert unwrap(item["encrypted_content"]) == SIGNED


def test_thinking_that_nobody_sealed_is_marked() -> None:
    (item,) = output(written(Thinking("hm")))

    assert item["encrypted_content"].startswith(MARK)


def test_our_own_reasoning_goes_out_bare() -> None:
    seal = seal_of("rs_1", ["hm"], [], "gAAA==")
    (item,) = output(written(Thinking("hm", seal)))

    assert item["encrypted_content"] == "gAAA=="


def test_hidden_thinking_is_an_item_and_no_thinking_is_none() -> None:
    (item,) = output(written(Thinking("", SIGNED)))

    assert item["summary"] == []
    assert output(written(Thinking(""), Text(""))) == []


def test_the_seal_of_a_call_goes_before_it() -> None:
    call = ToolCall("c:1", "Read", "", seal=SIGNED)
    events: list[StreamEvent] = [
        MessageStart("r", "m"),
        BlockStart(0, call),
        ToolInputDelta("{}"),
        BlockStop(0),
        MessageStop(StopReason.TOOL_USE),
    ]
    carrier, item = output(accepted(encoded(events)))
    late = [events[0], BlockStart(0, evolve(call, seal=None)), SealDelta(SIGNED), *events[3:]]

    assert item["type"] == "function_call"
    assert carrier["type"] == "reasoning"
    assert unwrap(carrier["encrypted_content"]) == Seal(SIGNED.origin, "call:c:1:signature", "sig")
    assert [one["type"] for one in output(accepted(encoded(late)))] == ["function_call", "reasoning"]


def test_freeform_tools_are_called_with_text() -> None:
    echo = Echo(freeform=frozenset({"apply_patch"}))
    for told_input, said in [
        (b"*** Begin", "*** Begin"),
        (b'{"input":"*** \\u00e9"}', "*** \u00e9"),
        (b'{"other":"x"}', '{"other":"x"}'),
        (b'{"input":3}', '{"input":3}'),
        (b"{}", ""),
    ]:
        payloads = written(ToolCall("c", "apply_patch", Json(told_input)), echo=echo)
        (item,) = output(payloads)
        assert kinds(payloads)[2:-1] == [
            "output_item.added",
            "custom_tool_call_input.delta",
            "custom_tool_call_input.done",
            "output_item.done",
        ]
        assert item == {
            "id": "ctc_ccr_t_1",
            "type": "custom_tool_call",
            "call_id": "c",
            "name": "apply_patch",
            "input": said,
        }


def test_tools_of_a_namespace_are_called_in_it() -> None:
    echo = Echo(namespaces={"mcp__docs__find": ("mcp__docs", "find")})
    (item,) = output(written(ToolCall("c", "mcp__docs__find"), echo=echo))

    assert (item["namespace"], item["name"]) == ("mcp__docs", "find")


def test_citations_are_annotations() -> None:
    own = Citation(
        "url", dialect="openai_responses", rest=Json(b'{"type":"file_path","file_id":"f","index":0}')
    )
    spans = Citation("url", url="https://a", title="A", start=1, end=2, dialect="gemini")
    block = Citation("search_result", url="https://b", start=4, end=4, dialect="anthropic")
    page = Citation("page", cited_text="x", dialect="anthropic")
    payloads = written(Text("see", citations=(own, spans, block, page)))
    (item,) = output(payloads)

    assert item["content"][0]["annotations"] == [
        {"type": "file_path", "file_id": "f", "index": 0},
        {"type": "url_citation", "start_index": 1, "end_index": 2, "title": "A", "url": "https://a"},
        {"type": "url_citation", "start_index": 0, "end_index": 3, "title": "", "url": "https://b"},
    ]
    told = [payload for payload in payloads if payload["type"].endswith("annotation.added")]
    assert [payload["annotation_index"] for payload in told] == [0, 1, 2]
    assert [payload["annotation"] for payload in told] == item["content"][0]["annotations"]
    assert kinds(written(Text("", citations=(spans,))))[2:] == ["completed"]


def test_a_search_is_a_web_search_call_with_its_sources() -> None:
    payloads = written(SEARCH, FOUND, Text("A"))
    item, _ = output(payloads)

    assert kinds(payloads)[2:7] == [
        "output_item.added",
        "web_search_call.in_progress",
        "web_search_call.searching",
        "web_search_call.completed",
        "output_item.done",
    ]
    assert item == {
        "id": "ws_ccr_t_1",
        "type": "web_search_call",
        "status": "completed",
        "action": {"type": "search", "query": "q", "sources": [{"type": "url", "url": "https://a"}]},
    }


def test_a_search_without_results_is_told_all_the_same() -> None:
    failed = evolve(
        FOUND, content=Json(b'{"type":"web_search_tool_result_error","error_code":"unavailable"}')
    )
    first, second = output(written(evolve(SEARCH, id="ws_7"), Text("A")))
    (last,) = output(written(evolve(SEARCH, input="")))
    (lost,) = output(written(SEARCH, failed))

    assert (first["id"], first["action"]) == ("ws_7", {"type": "search", "query": "q"})
    assert second["type"] == "message"
    assert last["action"] == {"type": "search", "query": ""}
    assert lost["status"] == "failed"


def test_our_own_items_go_out_as_they_came_and_pictures_as_pictures() -> None:
    raw = {"id": "mcp_1", "type": "mcp_list_tools", "server_label": "s", "tools": []}
    own = Opaque("openai_responses", "mcp_list_tools", Json(msgspec.json.encode(raw)))
    payloads = written(own, Image(Inline("image/png", "AAAA")))
    first, second = output(payloads)

    assert first == raw
    assert (second["type"], second["result"]) == ("image_generation_call", "AAAA")


def test_what_has_no_place_is_left_out() -> None:
    foreign = Opaque("anthropic", "container_upload", Json(b"{}"))
    code = ServerToolCall("s", "code_execution", Json(b"{}"))
    ran = ServerToolResult("s", "code_execution_tool_result", Json(b"{}"), "anthropic")

    assert output(written(foreign, Image(Url("https://a")), code, ran, FOUND)) == []


# ----------------------------------------------------------------------------------------------------- ends


@pytest.mark.parametrize(
    "reason, why",
    [
        (StopReason.MAX_TOKENS, "max_output_tokens"),
        (StopReason.CONTEXT_WINDOW, "max_output_tokens"),
        (StopReason.REFUSAL, "content_filter"),
    ],
)
def test_a_reply_that_was_cut_short_is_incomplete(reason: StopReason, why: str) -> None:
    payloads = written(Text("A"), reason=reason)

    assert payloads[-1]["type"] == "response.incomplete"
    assert payloads[-1]["response"]["status"] == "incomplete"
    assert payloads[-1]["response"]["incomplete_details"] == {"reason": why}
    (item,) = payloads[-1]["response"]["output"]
    assert item["status"] == ("completed" if reason is StopReason.REFUSAL else "incomplete")
    assert written(reason=reason)[-1]["response"]["output"] == []


@pytest.mark.parametrize(
    "error, code, message",
    [
        (UpstreamUnavailableError("down"), "server_error", "down"),
        (
            UpstreamLimitedError("slow", retry_after=1.5),
            "rate_limit_exceeded",
            "slow Please try again in 2s.",
        ),
        (UpstreamLimitedError("try again in 9s", retry_after=1), "rate_limit_exceeded", "try again in 9s"),
        (UpstreamLimitedError("busy", overloaded=True), "server_is_overloaded", "busy"),
        (
            ContextOverflowError("x", tokens=2, maximum=1),
            "context_length_exceeded",
            "prompt is too long: 2 tokens > 1 maximum",
        ),
        (InternalError("secret"), "server_error", None),
    ],
)
def test_a_failure_is_an_event_with_a_code(error: GatewayError, code: str, message: str | None) -> None:
    events: list[StreamEvent] = [
        MessageStart("r", "m", Usage(input_uncached=3)),
        StreamFailed(error),
        MessageStop(StopReason.END_TURN),
    ]
    payloads = frames(encoded(events))
    failed = payloads[-1]["response"]

    assert kinds(payloads) == ["created", "in_progress", "failed"]
    assert (failed["status"], failed["error"]["code"]) == ("failed", code)
    assert failed["usage"]["input_tokens"] == 3
    assert failed["error"]["message"] == message if message else "secret" not in failed["error"]["message"]


def test_a_failure_before_anything_opens_the_response_first() -> None:
    payloads = frames(encoded([StreamFailed(UpstreamUnavailableError("down"))]))

    assert kinds(payloads) == ["created", "in_progress", "failed"]
    assert payloads[-1]["response"]["usage"] is None


def test_keep_alive() -> None:
    encoder = client().stream_encoder(FACTS, None, input_estimate=33)
    data = encoder.keep_alive()
    again = encoder.keep_alive()
    rest = encoder.feed(unfold(Reply("other", "theirs", (Text("A"),), StopReason.END_TURN)))

    assert again == b": keep-alive\n\n"
    assert data.endswith(again)
    payloads = accepted(data + again + rest)
    assert kinds(payloads)[:3] == ["created", "in_progress", "output_item.added"]
    # SDKs refuse a response that changes its id.
    assert {payload["response"]["id"] for payload in payloads if "response" in payload} == {"resp_ccr_t"}
    assert payloads[0]["response"]["model"] == "asked"
    assert payloads[-1]["response"]["usage"]["input_tokens"] == 33
    assert encoder.keep_alive() == b""
    assert encoder.feed([TextDelta("late")]) == b""


def test_usage_is_gathered() -> None:
    events: list[StreamEvent] = [
        MessageStart("r", "m", Usage(input_uncached=1)),
        UsageUpdate(Usage(cache_read=2, cache_write_5m=3, cache_write_1h=4)),
        MessageStop(StopReason.END_TURN, usage=Usage(output=5, reasoning=1)),
    ]

    assert frames(encoded(events))[-1]["response"]["usage"] == {
        "input_tokens": 10,
        "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 7},
        "output_tokens": 5,
        "output_tokens_details": {"reasoning_tokens": 1},
        "total_tokens": 15,
    }


def test_half_a_character_is_replaced() -> None:
    (item,) = output(written(Text("a\ud83d")))

    assert item["content"][0]["text"] == "a?"


def test_settings_of_the_request_are_repeated() -> None:
    echo = Echo(settings={"temperature": b"0.5", "metadata": b'{"a":"b"}', "tools": b"[]"})
    whole = written(Text("A"), echo=echo)[-1]["response"]

    assert (whole["temperature"], whole["metadata"]) == (0.5, {"a": "b"})


# ---------------------------------------------------------------------------------------------- properties


def comparable(events: Sequence[StreamEvent]) -> list[object]:
    """Blocks that say nothing are not told here, so their indices do not count; seals come back in envelopes."""
    return [
        evolve(event, index=0) if isinstance(event, BlockStart | BlockStop) else event
        for event in meaning(events)
        if not isinstance(event, SealDelta)
    ]


def told(reply: Reply) -> Reply:
    blocks = tuple(
        block
        for block in reply.blocks
        if not (isinstance(block, Text) and not block.text)
        and not (isinstance(block, Thinking) and not block.text and block.seal is None)
    )
    used = evolve(reply.usage, cache_read=reply.usage.cache_read or 0, cache_write_5m=0, reasoning=0)
    return evolve(reply, blocks=blocks, usage=used)


@given(event_streams(replies(dialect="gemini").map(told)))
def test_what_is_written_is_read_back(events: list[StreamEvent]) -> None:
    back = decoded(lambda: ResponsesProvider().stream_decoder(SseFramer()), [encoded(events)])

    assert comparable(back) == comparable(events)
    seals = [event.seal for event in events if isinstance(event, SealDelta)]
    wrapped = [unwrap(e.seal.data.partition(".")[2]) for e in back if isinstance(e, SealDelta)]
    assert [seal for seal in wrapped if seal and seal.origin.dialect == "gemini"] == seals


@given(event_streams())
def test_the_official_sdk_reads_every_stream(events: list[StreamEvent]) -> None:
    calls = [e.block.id for e in events if isinstance(e, BlockStart) and isinstance(e.block, ToolCall)]
    assume(len(set(calls)) == len(calls))  # it refuses one call told twice
    payloads = accepted(encoded(events))

    Response.model_validate(payloads[-1]["response"], strict=True)
