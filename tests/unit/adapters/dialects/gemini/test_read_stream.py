from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.gemini import GeminiProvider
from ccr.adapters.dialects.gemini.names import MADE
from ccr.adapters.wire.sse import SseFramer
from ccr.application.ports.dialect import StreamDecoder
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
)
from ccr.domain.errors import (
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import MessageStart, StreamFailed, UsageUpdate, fold
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.gemini import decode, reply, sse
from tests.support.strategies import (
    assert_chunking_free,
    assert_junk_is_legal,
    assert_truncation_fails,
    chunkings,
)

HOME = Origin("gemini")
CALL = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "AB+/"}
GROUNDING = {
    "webSearchQueries": ["who", "when"],
    "groundingChunks": [
        {"web": {"uri": "https://a.test", "title": "A"}},
        {"web": {"uri": "https://b.test"}},
        {"retrievedContext": {"uri": "x"}},
        "junk",
    ],
    "groundingSupports": [
        {
            "segment": {"startIndex": 0, "endIndex": 7, "text": "Zürich"},
            "groundingChunkIndices": [0, 1, 2, 9, "x"],
        },
        {"segment": {"startIndex": 3, "endIndex": 5, "text": "elsewhere"}, "groundingChunkIndices": [0]},
        {"segment": {"text": "nowhere"}, "groundingChunkIndices": [0]},
        {"segment": {"endIndex": 3}, "groundingChunkIndices": [1]},
        {"groundingChunkIndices": [1]},
        7,
    ],
}
STREAM = sse(
    reply({"text": "Let me", "thought": True}, usage={"promptTokenCount": 10}),
    reply({"text": " see 你", "thought": True}),
    reply("Hel"),
    reply("lo 你好", {"inlineData": {"mimeType": "image/png", "data": "AAAA"}}),
    reply(CALL, {"functionCall": {"id": "i", "name": "g"}}),
    reply({"text": "", "thoughtSignature": "TAIL"}, groundingMetadata=GROUNDING),
    reply("", usage={"promptTokenCount": 10, "candidatesTokenCount": 4}, finishReason="STOP"),
)


def make() -> StreamDecoder:
    return GeminiProvider().stream_decoder(SseFramer())


def whole(*parts: object, finish: str = "STOP", **fields: object) -> Reply:
    return fold(decode([sse(reply(*parts, finishReason=finish, **fields))]))


def failed(*chunks: object) -> Any:
    last = decode([sse(*chunks)])[-1]
    assert isinstance(last, StreamFailed)
    return last.error


# ---------------------------------------------------------------------------------------- properties


@given(chunkings(STREAM))
def test_any_chunking_gives_the_same_events(pieces: list[bytes]) -> None:
    assert_chunking_free(make, STREAM, pieces)


@given(chunkings(b"\n [" + b",".join(frame[6:] for frame in STREAM.split(b"\r\n\r\n") if frame) + b"]"))
def test_any_chunking_of_an_array_gives_the_same_events(pieces: list[bytes]) -> None:
    assert_chunking_free(make, b"".join(pieces), pieces)


@given(st.binary(max_size=12), st.integers(0, len(STREAM)))
def test_junk_gives_a_legal_stream(junk: bytes, at: int) -> None:
    assert_junk_is_legal(make, STREAM, junk, at)


@given(st.integers(0, STREAM.rindex(b"data:") + 5))
def test_a_cut_is_a_failure(at: int) -> None:
    assert_truncation_fails(make, STREAM, at)


# --------------------------------------------------------------------------------------------- parts


def test_text_and_usage() -> None:
    events = decode(
        [
            sse(
                reply("Hel", usage={"promptTokenCount": 5}),
                reply("lo", usage={"promptTokenCount": 5}),
                reply("!", usage={"promptTokenCount": 5, "candidatesTokenCount": 2}, finishReason="STOP"),
            )
        ]
    )
    assert events[0] == MessageStart("r1", "gemini-x", Usage(input_uncached=5))
    assert [event for event in events if isinstance(event, UsageUpdate)] == [
        UsageUpdate(Usage(input_uncached=5, output=2))
    ]
    assert fold(events) == Reply(
        "r1", "gemini-x", (Text("Hello!"),), StopReason.END_TURN, usage=Usage(input_uncached=5, output=2)
    )


def test_a_reason_in_every_chunk_ends_nothing_before_the_bytes_end() -> None:
    events = decode([sse(reply("Hel", finishReason="STOP"), reply("lo", finishReason="STOP"))])
    assert fold(events).blocks == (Text("Hello"),)


def test_thoughts_with_and_without_signature() -> None:
    got = whole(
        {"text": "a", "thought": True},
        {"text": "b", "thought": True, "thoughtSignature": "S1"},
        {"text": "c", "thought": True},
        "said",
        {"text": "", "thought": True, "thoughtSignature": "S2"},
    )
    assert got.blocks == (
        Thinking("ab", Seal(HOME, "thought", "S1")),
        Thinking("c"),
        Text("said"),
        Thinking("", Seal(HOME, "thought", "S2")),
    )


def test_a_signature_of_a_text_stands_after_it() -> None:
    got = whole({"text": "a", "thoughtSignature": "S1"}, {"text": "b"}, {"thoughtSignature": "S2"})
    assert got.blocks == (
        Text("a"),
        Thinking("", Seal(HOME, "text", "S1")),
        Text("b"),
        Thinking("", Seal(HOME, "text", "S2")),
    )


def test_two_signatures_in_a_row_and_one_after_thoughts() -> None:
    got = whole(
        {"text": "t", "thought": True},
        {"text": "", "thoughtSignature": "S1"},
        {"text": "", "thoughtSignature": "S2"},
    )
    assert got.blocks == (
        Thinking("t"),
        Thinking("", Seal(HOME, "text", "S1")),
        Thinking("", Seal(HOME, "text", "S2")),
    )


def test_calls_with_ids_without_and_with_signature() -> None:
    got = whole("first", CALL, {"functionCall": {"id": "fc_1", "name": "g"}})
    text, call, other = got.blocks
    assert text == Text("first")
    assert isinstance(call, ToolCall)
    assert call.id.startswith(MADE)
    assert (call.name, call.input, call.seal) == ("f", Json(b'{"a":1}'), Seal(HOME, "call", "AB+/"))
    assert other == ToolCall("fc_1", "g", Json(b"{}"))
    assert got.reason is StopReason.TOOL_USE


def test_made_ids_are_the_same_when_read_again_and_differ_between_replies() -> None:
    def ids(**fields: object) -> list[str]:
        chunk = {**reply(CALL, CALL, finishReason="STOP"), **fields}
        return [block.id for block in fold(decode([sse(chunk)])).blocks if isinstance(block, ToolCall)]

    assert ids() == ids()
    assert len(set(ids()) | set(ids(responseId="r2"))) == 4
    assert ids(responseId=None) == ids(responseId=None)
    assert len({*ids(responseId=None), *ids()}) == 4


def test_arguments_in_pieces_become_one_call() -> None:
    def piece(path: str, **value: object) -> dict[str, object]:
        return {"jsonPath": path, **value}

    events = decode(
        [
            sse(
                reply({"functionCall": {"name": "f", "willContinue": True}, "thoughtSignature": "S"}),
                reply(
                    {
                        "functionCall": {
                            "partialArgs": [
                                piece("$.city", stringValue="New", willContinue=True),
                                piece("$.n", numberValue=3.0),
                                piece("$.deep.list[1].x", boolValue=True),
                                piece("$.deep.list[1].y", numberValue=0.5),
                                piece("$['odd key']", nullValue="NULL_VALUE"),
                                piece("$.deep", willContinue=True),
                                piece("nonsense", numberValue=1),
                                piece("$[0]", numberValue=1),
                                piece("$.a b]", numberValue=1),
                                {"stringValue": "x"},
                            ],
                            "willContinue": True,
                        }
                    }
                ),
                reply(
                    {
                        "functionCall": {
                            "partialArgs": [piece("$.city", stringValue=" York")],
                            "willContinue": True,
                        }
                    }
                ),
                reply({"functionCall": {}}),
                reply("after", finishReason="STOP"),
            )
        ]
    )
    call, text = fold(events).blocks
    assert isinstance(call, ToolCall)
    assert isinstance(call.input, Json)
    assert msgspec.json.decode(call.input.data) == {
        "city": "New York",
        "n": 3,
        "deep": {"list": [None, {"x": True, "y": 0.5}]},
        "odd key": None,
    }
    assert call.seal == Seal(HOME, "call", "S")
    assert text == Text("after")


def test_a_call_that_is_not_closed_ends_with_the_next_part_or_the_reply() -> None:
    def opened(name: str, **fields: object) -> dict[str, object]:
        return {"functionCall": {"name": name, "willContinue": True, **fields}}

    got = whole(opened("f"), opened("g", args={"a": 1}), "text", opened("h"))
    assert [(block.name, block.input) for block in got.blocks if isinstance(block, ToolCall)] == [
        ("f", Json(b"{}")),
        ("g", Json(b'{"a":1}')),
        ("h", Json(b"{}")),
    ]
    cut = whole(opened("f", args={"a": 1}), finish="MAX_TOKENS")
    assert cut.blocks[0] == ToolCall(cut.blocks[0].id, "f", Json(b'{"a":1'))  # type: ignore[union-attr]
    assert isinstance(failed(reply(opened("f"))), UpstreamProtocolError)


def test_a_call_without_a_name_is_a_failure() -> None:
    assert isinstance(
        failed(reply({"functionCall": {"args": {}}}, finishReason="STOP")), UpstreamProtocolError
    )


def test_pictures_sounds_code_and_unknown_parts() -> None:
    got = whole(
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}, "thoughtSignature": "S"},
        {"inlineData": {"mimeType": "audio/wav", "data": "BBBB"}},
        {"executableCode": {"code": "1", "language": "PYTHON"}, "thoughtSignature": "T"},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK"}},
        {"somethingNew": {}},
    )
    image, seal, sound, code, result = got.blocks
    assert image == Image(Inline("image/png", "AAAA"))
    assert seal == Thinking("", Seal(HOME, "image", "S"))
    assert sound == Opaque(
        "gemini", "inlineData", Json(b'{"inlineData":{"mimeType":"audio/wav","data":"BBBB"}}')
    )
    assert code == Opaque(
        "gemini",
        "executableCode",
        Json(b'{"executableCode":{"code":"1","language":"PYTHON"},"thoughtSignature":"T"}'),
    )
    assert isinstance(result, Opaque)


def test_other_candidates_do_not_count() -> None:
    chunk = reply("mine", finishReason="STOP")
    assert isinstance(chunk["candidates"], list)
    chunk["candidates"].append({"content": {"parts": [{"text": "other"}]}, "index": 1})
    chunk["candidates"].append({"index": 0})
    assert fold(decode([sse(chunk)])).blocks == (Text("mine"),)


# ------------------------------------------------------------------------------------------- searches


def test_a_search_known_before_the_text_stands_before_it() -> None:
    got = whole("Zürich is a city.", groundingMetadata=GROUNDING)
    call, result, text = got.blocks
    assert isinstance(call, ServerToolCall)
    assert (call.name, call.input) == ("web_search", Json(b'{"query":"who; when","queries":["who","when"]}'))
    assert isinstance(result, ServerToolResult)
    assert (result.call_id, result.kind, result.dialect) == (call.id, "web_search_tool_result", "gemini")
    assert msgspec.json.decode(result.content.data) == [
        {
            "type": "web_search_result",
            "url": "https://a.test",
            "title": "A",
            "page_age": None,
            "encrypted_content": "",
        },
        {
            "type": "web_search_result",
            "url": "https://b.test",
            "title": "https://b.test",
            "page_age": None,
            "encrypted_content": "",
        },
    ]
    assert isinstance(text, Text)
    assert text.citations == (
        Citation("url", "Zürich", "https://a.test", "A", 0, 6),
        Citation("url", "Zürich", "https://b.test", "https://b.test", 0, 6),
        Citation("url", "elsewhere", "https://a.test", "A"),
        Citation("url", "nowhere", "https://a.test", "A"),
        Citation("url", "Zü", "https://b.test", "https://b.test", 0, 2),
        Citation("url", "", "https://b.test", "https://b.test"),
    )
    assert got.usage.searches == 2


def test_a_search_that_is_told_at_the_end_stands_there_and_its_citations_in_the_text() -> None:
    pages = {"groundingChunks": [{"web": {"uri": "https://a.test", "title": "A"}}], "groundingSupports": None}
    events = decode(
        [
            sse(
                reply("It is so.", groundingMetadata={}),
                reply({"text": "", "thoughtSignature": "S"}),
                reply("", finishReason="STOP", groundingMetadata={**GROUNDING, **pages}),
                reply("", groundingMetadata={**pages, "groundingSupports": [{"groundingChunkIndices": [0]}]}),
            )
        ]
    )
    got = fold(events)
    assert [type(block) for block in got.blocks] == [Text, Thinking, ServerToolCall, ServerToolResult]
    assert got.blocks[0] == Text("It is so.", citations=(Citation("url", "", "https://a.test", "A"),))
    assert got.usage.searches == 1


def test_grounding_without_a_search_is_none() -> None:
    assert whole("x", groundingMetadata={"webSearchQueries": []}).usage.searches is None
    assert whole("x", groundingMetadata=7).blocks == (Text("x"),)


# --------------------------------------------------------------------------------------------- ends


@pytest.mark.parametrize(
    "word,reason",
    [
        ("STOP", StopReason.END_TURN),
        ("MAX_TOKENS", StopReason.MAX_TOKENS),
        ("OTHER", StopReason.END_TURN),
        ("SOMETHING_NEW", StopReason.END_TURN),
        *((word, StopReason.REFUSAL) for word in ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT")),
        *((word, StopReason.REFUSAL) for word in ("SPII", "IMAGE_SAFETY", "LANGUAGE", "MODEL_ARMOR")),
    ],
)
def test_reasons(word: str, reason: StopReason) -> None:
    got = whole("x", finish=word, finishMessage="why")
    assert got.reason is reason
    details = None if got.details is None else msgspec.json.decode(got.details.data.data)
    refused = {"finishReason": word, "finishMessage": "why"}
    assert details == (refused if reason is StopReason.REFUSAL else None)


def test_a_refusal_without_a_message() -> None:
    got = whole(finish="SAFETY")
    assert got.details is not None
    assert msgspec.json.decode(got.details.data.data) == {"finishReason": "SAFETY"}


@pytest.mark.parametrize("word", ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"])
def test_a_model_that_failed_is_a_failure(word: str) -> None:
    error = failed(reply("x", finishReason=word, finishMessage="print(f(1))"))
    assert isinstance(error, UpstreamProtocolError)
    assert word in error.message
    assert "print(f(1))" in error.message
    assert failed(reply(finishReason=word)).message.endswith(f"({word})")


def test_a_blocked_prompt_is_a_refusal_without_content() -> None:
    got = fold(
        decode([sse({"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}})])
    )
    assert (got.blocks, got.reason, got.usage.input_uncached) == ((), StopReason.REFUSAL, 3)
    assert got.details is not None
    assert msgspec.json.decode(got.details.data.data) == {"promptFeedback": {"blockReason": "SAFETY"}}
    assert isinstance(failed({"promptFeedback": {"safetyRatings": []}}), UpstreamProtocolError)


def test_an_error_in_the_stream() -> None:
    error = failed(reply("x"), {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}})
    assert isinstance(error, UpstreamLimitedError)
    error = failed({"error": {"message": "gone", "status": "NOT_FOUND"}})
    assert isinstance(error, UpstreamRejectedError)
    assert error.status == 404
    assert failed({"error": "bad"}).message == "bad"
    assert isinstance(failed({"error": {}}), UpstreamUnavailableError)


def test_an_array_of_chunks_and_a_list_of_one_error() -> None:
    body = msgspec.json.encode([reply("Hel"), reply("lo", finishReason="STOP")])
    assert fold(decode([b" \n", body[:9], body[9:]])).blocks == (Text("Hello"),)
    error = decode([msgspec.json.encode([{"error": {"code": 503, "message": "later"}}])])[-1]
    assert isinstance(error, StreamFailed)
    assert isinstance(error.error, UpstreamUnavailableError)


def test_junk_blank_events_and_done() -> None:
    assert isinstance(failed("nonsense"), UpstreamProtocolError)
    good = b"data: \n\ndata: [DONE]\n\n" + sse(reply("x", finishReason="STOP"))
    assert fold(decode([good])).blocks == (Text("x"),)
    assert isinstance(decode([b"[1]"])[-1], StreamFailed)
    assert isinstance(decode([])[-1], StreamFailed)


def test_half_a_surrogate_pair_does_not_fail_a_reply() -> None:
    data = sse(reply("x@", finishReason="STOP")).replace(b"@", b"\\ud83d")
    assert fold(decode([data])).blocks == (Text("x\ufffd"),)


def test_bodies_without_an_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.wire.sniffing._WHOLE_LIMIT", 10)
    assert isinstance(decode([b"[" + b" " * 20])[-1], StreamFailed)


def test_an_event_without_an_end_is_refused() -> None:
    decoder = GeminiProvider().stream_decoder(SseFramer(limit=10))
    assert isinstance(decoder.feed(b"data: " + b"x" * 20)[-1], StreamFailed)
