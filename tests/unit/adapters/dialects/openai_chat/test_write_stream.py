from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, get_args

import pytest
from attrs import evolve
from hypothesis import given
from openai.types.chat import ChatCompletionChunk

from ccr.adapters.dialects.openai_chat import OpenAIChatClient, OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.conversation import (
    Citation,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
)
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
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
    fold,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.chat import DONE, chunk, decode, finish
from tests.support.chat_calls import accumulated, chunks
from tests.support.strategies import decoded, event_streams, replies

FACTS = RequestFacts(Operation.GENERATE, "openai_chat", "asked")
BEGIN = MessageStart("i", "m")
END = MessageStop(StopReason.TOOL_USE, usage=Usage(1, output=2))
CALL = ToolCall("t", "Bash", "")


def encoder(echo: ChatEcho | None = None, estimate: int = 0) -> Any:
    client = OpenAIChatClient(new_id=lambda: "new", now=lambda: 1700000000.9)
    return client.stream_encoder(FACTS, echo or ChatEcho(), input_estimate=estimate)


def written(*events: StreamEvent, echo: ChatEcho | None = None) -> list[dict[str, Any]]:
    payloads = chunks(encoder(echo).feed(events))
    for payload in payloads:
        if "error" not in payload and '"custom"' not in json.dumps(
            payload
        ):  # which the types do not know here
            ChatCompletionChunk.model_validate(payload)
    return payloads


def deltas(*events: StreamEvent, echo: ChatEcho | None = None) -> list[dict[str, Any]]:
    """The deltas between the role and the reason."""
    return [
        payload["choices"][0]["delta"] for payload in written(BEGIN, *events, echo=echo) if payload["choices"]
    ][1:]


def block(start: Any, *inner: StreamEvent, index: int = 0) -> Sequence[StreamEvent]:
    return (BlockStart(index, start), *inner, BlockStop(index))


def test_a_reply_from_its_role_to_its_end() -> None:
    stream = encoder().feed([BEGIN, *block(Text(""), TextDelta("A")), MessageStop(StopReason.END_TURN)])
    head = {"id": "i", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}

    def choice(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        return {**head, "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]}

    assert chunks(stream) == [
        choice({"role": "assistant", "content": ""}),
        choice({"content": "A"}),
        choice({}, "stop"),
    ]
    assert stream.endswith(b"data: [DONE]\n\n")


def test_names_stand_in_where_the_provider_gives_none() -> None:
    (begun,) = written(MessageStart("", ""))
    assert (begun["id"], begun["model"]) == ("new", "asked")
    assert OpenAIChatClient().stream_encoder(FACTS, None).feed([MessageStart("", "")]).count(b"chatcmpl-ccr")


def test_usage_comes_last_and_only_to_those_who_ask() -> None:
    usage = Usage(100, cache_read=20, cache_write_5m=3, output=7, reasoning=2)
    events: list[StreamEvent] = [
        evolve(BEGIN, usage=Usage(5)),
        UsageUpdate(Usage(100)),
        MessageStop(StopReason.END_TURN, usage=usage),
    ]
    asked = written(*events, echo=ChatEcho(include_usage=True))
    assert [payload["usage"] for payload in asked[:-1]] == [None, None]
    assert (asked[-1]["choices"], asked[-1]["usage"]["prompt_tokens"]) == ([], 123)
    assert all("usage" not in payload for payload in written(*events))


def test_an_estimate_where_nobody_said_the_input() -> None:
    stream = encoder(ChatEcho(include_usage=True), 33).feed([BEGIN, MessageStop(StopReason.END_TURN)])
    assert chunks(stream)[-1]["usage"]["prompt_tokens"] == 33


def test_tool_calls_are_named_first_and_then_filled() -> None:
    made = deltas(
        *block(CALL, ToolInputDelta('{"a"'), ToolInputDelta(":1}")),
        *block(ToolCall("u", "Read", Json(b'{"b":2}')), index=1),
        *block(ToolCall("v", "Now", ""), index=2),
        END,
    )
    calls = [delta["tool_calls"][0] for delta in made[:-1]]
    named = {"index": 0, "id": "t", "type": "function", "function": {"name": "Bash", "arguments": ""}}
    assert calls[:3] == [
        named,
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
    ]
    assert calls[4] == {"index": 1, "function": {"arguments": '{"b":2}'}}
    assert calls[6] == {"index": 2, "function": {"arguments": "{}"}}


def test_the_functions_of_old() -> None:
    payloads = written(
        BEGIN,
        *block(CALL, ToolInputDelta("{}")),
        *block(ToolCall("u", "Read", ""), ToolInputDelta("{}"), index=1),
        END,
        echo=ChatEcho(legacy=True),
    )
    made = [payload["choices"][0]["delta"] for payload in payloads]
    assert made[1:] == [
        {"function_call": {"name": "Bash", "arguments": ""}},
        {"function_call": {"arguments": "{}"}},
        {},
    ]
    assert payloads[-1]["choices"][0]["finish_reason"] == "function_call"


@pytest.mark.parametrize(
    "given, text",
    [('{"input":"+a\\n"}', "+a\n"), ("*** Begin", "*** Begin"), ('{"x":1}', '{"x":1}'), ("", "")],
)
def test_the_text_of_a_freeform_call_comes_whole(given: str, text: str) -> None:
    made = deltas(
        *block(ToolCall("t", "patch", ""), ToolInputDelta(given)),
        END,
        echo=ChatEcho(freeform=frozenset({"patch"})),
    )
    custom = {"name": "patch", "input": text}
    assert made[0] == {"tool_calls": [{"index": 0, "id": "t", "type": "custom", "custom": custom}]}


def test_texts_with_something_between_them_stand_apart() -> None:
    made = deltas(
        *block(Text(""), TextDelta("A")),
        *block(Text(""), TextDelta("B"), index=1),
        *block(ServerToolCall("s", "web_search", ""), ToolInputDelta("{}"), index=2),
        *block(Text(""), TextDelta("C"), index=3),
        END,
    )
    assert [delta["content"] for delta in made[:-1]] == ["A", "B", "\n\nC"]


def test_citations_come_in_one_piece_with_their_place() -> None:
    own = Citation("url", url="http://own", dialect="openai_chat", rest=Json(b'{"type":"url_citation"}'))
    made = deltas(
        *block(Text(""), TextDelta("ab")),
        *block(Thinking(""), ThinkingDelta("x"), index=1),
        *block(Text(""), TextDelta("cd"), CitationDelta(Citation("url", url="http://a")), index=2),
        *block(Text(""), CitationDelta(own), CitationDelta(Citation("page")), index=3),
        END,
    )
    cited = {"start_index": 4, "end_index": 6, "url": "http://a", "title": "http://a"}
    annotations = [{"type": "url_citation", "url_citation": cited}, {"type": "url_citation"}]
    assert made[-2] == {"annotations": annotations}


def test_results_of_a_search_that_nothing_cites_are_annotations() -> None:
    results = [{"url": "http://a", "title": "A"}, {"url": "http://b"}, {"url": ""}, {"url": "http://b"}]
    found = ServerToolResult("s", "web_search_tool_result", Json(json.dumps(results).encode()))
    made = deltas(
        *block(found),
        *block(ServerToolResult("s", "other", Json(b"[]")), index=1),
        *block(Text("held"), CitationDelta(Citation("url", url="http://a", title="A")), index=2),
        END,
    )
    assert made[0] == {"content": "held"}
    urls = [one["url_citation"]["url"] for one in made[1]["annotations"]]
    assert urls == ["http://a", "http://b"]


def test_a_refusal_is_said_twice() -> None:
    events = (*block(Text(""), TextDelta("I can"), TextDelta("not")), MessageStop(StopReason.REFUSAL))
    payloads = written(BEGIN, *events)
    assert payloads[-2]["choices"][0]["delta"] == {"refusal": "I cannot"}
    assert payloads[-1]["choices"][0]["finish_reason"] == "content_filter"
    long = (*block(Text(""), TextDelta("x" * 20_000), TextDelta("y")), MessageStop(StopReason.REFUSAL))
    assert not any("refusal" in delta for delta in deltas(*long))


@pytest.mark.parametrize(
    "reason, finish",
    [
        (StopReason.END_TURN, "stop"),
        (StopReason.STOP_SEQUENCE, "stop"),
        (StopReason.PAUSE_TURN, "stop"),
        (StopReason.MAX_TOKENS, "length"),
        (StopReason.CONTEXT_WINDOW, "length"),
        (StopReason.TOOL_USE, "tool_calls"),
        (StopReason.REFUSAL, "content_filter"),
    ],
)
def test_reasons(reason: StopReason, finish: str) -> None:
    assert written(BEGIN, MessageStop(reason))[-1]["choices"][0]["finish_reason"] == finish


def test_every_reason_has_a_word() -> None:
    for reason in StopReason:
        assert written(BEGIN, MessageStop(reason))[-1]["choices"][0]["finish_reason"]


# ------------------------------------------------------------------------------------------------ failures


def test_a_failure_is_an_error_and_no_done_follows() -> None:
    machine = encoder()
    stream = machine.feed([BEGIN, StreamFailed(UpstreamUnavailableError("gone")), END])
    error = {"message": "gone", "type": "server_error", "param": None, "code": "server_error"}
    assert chunks(stream)[-1] == {"error": error}
    assert b"[DONE]" not in stream
    assert machine.feed([END]) == machine.keep_alive() == b""
    assert chunks(encoder().feed([StreamFailed(UpstreamUnavailableError("x"))]))[0]["error"]


@pytest.mark.parametrize("after", [END, BlockStart(1, Text(""))])
def test_a_call_that_is_broken_ends_in_an_error(after: StreamEvent) -> None:
    events = [BEGIN, *block(CALL, ToolInputDelta('{"a":')), UsageUpdate(Usage(1)), after]
    stream = encoder().feed(events)
    assert "Bash" in chunks(stream)[-1]["error"]["message"]
    assert b"[DONE]" not in stream


def test_half_a_call_is_right_where_the_reply_was_cut_short() -> None:
    events = [BEGIN, *block(CALL, ToolInputDelta('{"a":')), MessageStop(StopReason.MAX_TOKENS)]
    assert chunks(encoder().feed(events))[-1]["choices"][0]["finish_reason"] == "length"
    failed = [*events[:-1], StreamFailed(UpstreamUnavailableError("gone"))]
    assert chunks(encoder().feed(failed))[-1]["error"]["message"] == "gone"


def test_half_a_surrogate_pair_is_replaced() -> None:
    made = deltas(*block(Text(""), TextDelta("\ud83d")), *block(CALL, ToolInputDelta("\ud83d"), index=1))
    assert (made[0]["content"], made[2]["tool_calls"][0]["function"]["arguments"]) == ("?", "?")


def test_half_a_surrogate_pair_in_a_freeform_call() -> None:
    made = deltas(
        *block(ToolCall("t", "patch", ""), ToolInputDelta("+\ud83d")),
        echo=ChatEcho(freeform=frozenset({"patch"})),
    )
    assert made[0]["tool_calls"][0]["custom"]["input"] == "+?"


def test_a_comment_keeps_it_alive() -> None:
    machine = encoder()
    assert machine.keep_alive() == b": keep-alive\n\n"
    assert SseFramer().feed(machine.keep_alive()) == []
    assert machine.content_type.startswith("text/event-stream")


# ----------------------------------------------------------------------------------------------- properties


def test_every_event_is_known() -> None:
    thought = block(
        Thinking("", Seal(Origin("g", "p"), "f", "d")), SealDelta(Seal(Origin("g", "p"), "f", "e"))
    )
    called = block(CALL, SealDelta(Seal(Origin("g", "p"), "f", "e")), ToolInputDelta("{}"), index=1)
    text = block(Text(""), TextDelta("x"), CitationDelta(Citation("url")), index=2)
    said = [BEGIN, *thought, ThinkingDelta("x"), *called, *text, UsageUpdate(Usage()), END]
    said.append(StreamFailed(UpstreamUnavailableError("x")))
    assert {type(event) for event in said} == set(get_args(StreamEvent))
    for event in said:
        encoder().feed([event])


def _simple(reply: Reply) -> Reply:
    """One thinking, one text and the calls, as a message has them."""
    found: dict[type, Any] = {}
    for block_ in reply.blocks:
        if isinstance(block_, Text | Thinking) and block_.text.strip():
            found.setdefault(type(block_), block_)
    calls = {one.id: one for one in reply.blocks if isinstance(one, ToolCall)}
    first = [found[kind] for kind in (Thinking, Text) if kind in found]
    reason = StopReason.TOOL_USE if calls else reply.reason
    return evolve(reply, blocks=(*first, *calls.values()), reason=reason)


def _unsealed(reply: Reply) -> Reply:
    blocks = [evolve(one, seal=None) if isinstance(one, Thinking) else one for one in reply.blocks]
    return evolve(reply, blocks=tuple(blocks))


def _counted(reply: Reply) -> Reply:
    usage = evolve(reply.usage, cache_read=reply.usage.cache_read or 0, reasoning=0)
    return evolve(reply, usage=usage)


@given(event_streams(replies(sealed=False).map(_simple)))
def test_what_is_encoded_is_decoded_as_it_was(events: list[StreamEvent]) -> None:
    stream = encoder(ChatEcho(include_usage=True)).feed(events)
    got = decoded(lambda: OpenAIChatProvider().stream_decoder(SseFramer()), [stream])
    assert _unsealed(fold(got)) == _counted(fold(events))


@given(replies(sealed=False).map(_simple))
def test_a_whole_reply_is_decoded_as_it_was(reply: Reply) -> None:
    body = OpenAIChatClient().write_reply(reply, FACTS, ChatEcho())
    assert _unsealed(OpenAIChatProvider().read_reply(body)) == _counted(reply)


@given(replies(sealed=False).map(_simple))
def test_the_official_helper_gathers_the_stream_to_the_whole_reply(reply: Reply) -> None:
    client = OpenAIChatClient(now=lambda: 5.0)
    echo = ChatEcho(include_usage=True)
    gathered = accumulated(client.stream_encoder(FACTS, echo).feed(unfold(reply)))
    whole = json.loads(client.write_reply(reply, FACTS, echo))
    mine, theirs = whole["choices"][0]["message"], gathered["choices"][0]["message"]
    for name in ("content", "reasoning_content"):
        assert (theirs.get(name) or "") == (mine.get(name) or "")
    assert [call["function"]["arguments"] for call in theirs.get("tool_calls") or []] == [
        call["function"]["arguments"] for call in mine.get("tool_calls") or []
    ]
    assert gathered["choices"][0]["finish_reason"] == whole["choices"][0]["finish_reason"]
    assert gathered["usage"]["total_tokens"] == whole["usage"]["total_tokens"]


def test_a_refusal_comes_through_once() -> None:
    reply = Reply(
        "r", "m", (Text("no"),), StopReason.REFUSAL, usage=Usage(1, cache_read=0, output=2, reasoning=0)
    )
    stream = encoder(ChatEcho(include_usage=True)).feed(unfold(reply))
    assert fold(decoded(lambda: OpenAIChatProvider().stream_decoder(SseFramer()), [stream])) == reply
    body = OpenAIChatClient().write_reply(reply, FACTS, None)
    assert OpenAIChatProvider().read_reply(body) == reply


def test_a_long_text_is_not_compared_with_its_refusal() -> None:
    piece = chunk({"content": "x" * 20_000})
    stream = [piece, piece, chunk({"refusal": "no"}), finish(), DONE]
    (block_,) = fold(decode(stream)).blocks
    assert isinstance(block_, Text)
    assert block_.text.endswith("xno")
