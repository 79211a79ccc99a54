from __future__ import annotations

from typing import Any

import msgspec
import pytest
from google.genai import types
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.gemini import GeminiClient, GeminiProvider
from ccr.adapters.dialects.gemini.read_request import Echo
from ccr.adapters.dialects.gemini.seals import read_seal
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
)
from ccr.domain.errors import LimitedError, UpstreamProtocolError, UpstreamRejectedError, UpstreamReply
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopDetails, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
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
from tests.support.gemini import FACTS, decode, frames
from tests.support.strategies import event_streams, replies

HOME = Origin("gemini")
STAMPED = Seal(Origin("gemini", "google", "g"), "call", "AB+/")
CLAUDE = Seal(Origin("anthropic", "anthropic"), "signature", "AB+/=")
THOUGHTS = Echo(thoughts=True)
CLIENT = GeminiClient(new_id=lambda: "new")


def stream(events: list[StreamEvent], echo: Echo = THOUGHTS, estimate: int = 0) -> bytes:
    encoder = CLIENT.stream_encoder(FACTS, echo, input_estimate=estimate)
    return b"".join(encoder.feed([event]) for event in events)


def whole(reply: Reply, echo: object = THOUGHTS) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(CLIENT.write_reply(reply, FACTS, echo))
    types.GenerateContentResponse.model_validate_json(msgspec.json.encode(body))
    return body


def answer(*blocks: Any, reason: StopReason = StopReason.END_TURN, **fields: Any) -> Reply:
    return Reply("r1", "gemini-x", blocks, reason, **fields)


def parts(*blocks: Any, echo: Echo = THOUGHTS) -> list[dict[str, Any]]:
    """Parts as they are written, whole and streamed alike."""
    reply = answer(*blocks)
    written: list[dict[str, Any]] = whole(reply, echo)["candidates"][0]["content"]["parts"]
    chunks = frames(stream(unfold(reply), echo))
    for chunk in chunks:
        types.GenerateContentResponse.model_validate_json(msgspec.json.encode(chunk))
    streamed = [part for chunk in chunks[:-1] for part in chunk["candidates"][0]["content"]["parts"]]
    assert streamed == written
    return written


# ---------------------------------------------------------------------------------------- properties


def canonical(reply: Reply) -> Reply:
    """What of a reply can be told in parts: neighbours run together, empty blocks are none; seals of this dialect."""
    blocks: list[Any] = []
    for block in reply.blocks:
        last = blocks[-1] if blocks else None
        if isinstance(block, Text):
            if isinstance(last, Text):
                blocks[-1] = Text(last.text + block.text)
            elif block.text:
                blocks.append(block)
        elif isinstance(block, Thinking):
            seal = Seal(HOME, "thought", block.seal.data) if block.seal else None
            if isinstance(last, Thinking) and last.seal is None:
                blocks[-1] = Thinking(last.text + block.text, seal)
            elif block.text or seal:
                blocks.append(Thinking(block.text, seal))
        else:
            blocks.append(block)
    calls = any(isinstance(block, ToolCall) for block in blocks)
    reason = reply.reason if calls or reply.reason is not StopReason.TOOL_USE else StopReason.END_TURN
    return Reply(reply.id, reply.model, tuple(blocks), reason, usage=reply.usage)


REPLIES = replies(dialect="gemini").map(canonical).map(canonical)


@given(event_streams(REPLIES))
def test_a_stream_written_and_read_means_the_same(events: list[StreamEvent]) -> None:
    assert fold(decode([stream(events)])) == fold(events)


@given(event_streams(REPLIES))
def test_an_array_written_and_read_means_the_same(events: list[StreamEvent]) -> None:
    data = stream(events, Echo(sse=False, thoughts=True))
    assert isinstance(msgspec.json.decode(data), list)
    assert fold(decode([data])) == fold(events)


@given(REPLIES)
def test_a_whole_reply_written_and_read_means_the_same(reply: Reply) -> None:
    assert GeminiProvider().read_reply(CLIENT.write_reply(reply, FACTS, THOUGHTS)) == reply


@given(event_streams(), st.booleans())
def test_seals_of_anybody_survive_a_client(events: list[StreamEvent], thoughts: bool) -> None:
    reply = fold(events)
    wanted = [block for block in reply.blocks if isinstance(block, Thinking) and block.seal]
    sent = parts(*reply.blocks, echo=Echo(thoughts=thoughts))
    turn = CLIENT.read_turn(msgspec.json.encode({"role": "model", "parts": sent}))
    got = [block for block in turn.blocks if isinstance(block, Thinking) and block.seal]
    assert [block.seal for block in got] == [block.seal for block in wanted]
    if not thoughts:
        assert got == wanted


# --------------------------------------------------------------------------------------------- parts


def test_text_goes_out_at_once() -> None:
    encoder = CLIENT.stream_encoder(FACTS, Echo())
    assert encoder.content_type == "text/event-stream; charset=utf-8"
    assert encoder.feed([MessageStart("r1", "g"), BlockStart(0, Text(""))]) == b""
    (chunk,) = frames(encoder.feed([TextDelta("Hi\ud83d")]))
    assert chunk == {
        "candidates": [{"content": {"parts": [{"text": "Hi?"}], "role": "model"}, "index": 0}],
        "modelVersion": "g",
        "responseId": "r1",
    }


def test_a_call_is_written_whole_with_its_seal() -> None:
    assert parts(
        ToolCall("c", "f", Json(b'{"a":1}'), seal=Seal(HOME, "call", "AB+/")), ToolCall("d", "g")
    ) == [
        {"functionCall": {"id": "c", "name": "f", "args": {"a": 1}}, "thoughtSignature": "AB+/"},
        {"functionCall": {"id": "d", "name": "g", "args": {}}},
    ]
    (part,) = parts(ToolCall("c", "f", seal=CLAUDE))
    assert read_seal(part["thoughtSignature"], "call") == (CLAUDE, "")
    (part,) = parts(ToolCall("c", "f", seal=STAMPED))
    assert read_seal(part["thoughtSignature"], "call") == (STAMPED, "")
    events: list[StreamEvent] = [
        MessageStart("r", "m"),
        BlockStart(0, ToolCall("c", "f", Json(b'{"a":1}'), seal=Seal(HOME, "call", "AB+/"))),
        BlockStop(0),
    ]
    assert b'"args":{"a":1}' in stream(events)


def test_thinking_is_shown_to_who_asked_and_its_seal_carried_for_all() -> None:
    blocks = (Thinking("hm", CLAUDE), Thinking("so"), Thinking("", Seal(HOME, "text", "SIGN")))
    shown = parts(*blocks)
    assert shown[0] == {"text": "hm", "thought": True}
    assert shown[1]["thought"] is True
    assert read_seal(shown[1]["thoughtSignature"], "text") == (CLAUDE, "")
    assert shown[2:] == [{"text": "so", "thought": True}, {"text": "", "thoughtSignature": "SIGN"}]
    hidden = parts(*blocks, echo=Echo())
    assert len(hidden) == 2
    assert read_seal(hidden[0]["thoughtSignature"], "text") == (CLAUDE, "hm")


def test_blocks_that_come_whole() -> None:
    assert parts(
        Image(Inline("image/png", "QUFB")),
        Opaque("gemini", "executableCode", Json(b'{"executableCode":{"code":"1","language":"PYTHON"}}')),
        Opaque("anthropic", "x", Json(b"{}")),
        ServerToolCall("s", "bash", Json(b"{}")),
    ) == [
        {"inlineData": {"mimeType": "image/png", "data": "QUFB"}},
        {"executableCode": {"code": "1", "language": "PYTHON"}},
    ]
    started: list[StreamEvent] = [
        MessageStart("r", "m"),
        BlockStart(0, Text("early")),
        BlockStop(0),
        BlockStart(1, Thinking("th")),
        BlockStop(1),
    ]
    assert [chunk["candidates"][0]["content"]["parts"] for chunk in frames(stream(started))] == [
        [{"text": "early"}],
        [{"text": "th", "thought": True}],
    ]


def test_a_search_is_grounding() -> None:
    found = Json(
        b'[{"type":"web_search_result","url":"https://a.test","title":"A"},{"url":7},{"url":"https://b.test"}]'
    )
    cited = Text(
        "Z\u00fcrich it is",
        citations=(
            Citation("url", url="https://a.test", start=0, end=6),
            Citation("char", url="https://c.test", title="C"),
            Citation("page"),
        ),
    )
    reply = answer(
        ServerToolCall("s", "web_search", Json(b'{"query":"q"}')),
        ServerToolResult("s", "web_search_tool_result", found),
        ServerToolCall("t", "web_search", Json(b'{"query":"1; 2","queries":["1","2"]}')),
        ServerToolCall("u", "web_search", Json(b"{}")),
        cited,
    )
    expected = {
        "webSearchQueries": ["q", "1", "2"],
        "groundingChunks": [
            {"web": {"uri": "https://a.test", "title": "A"}},
            {"web": {"uri": "https://b.test", "title": "https://b.test"}},
            {"web": {"uri": "https://c.test", "title": "C"}},
        ],
        "groundingSupports": [
            {
                "segment": {"startIndex": 0, "endIndex": 7, "text": "Z\u00fcrich"},
                "groundingChunkIndices": [0],
            },
            {
                "segment": {"startIndex": 0, "endIndex": 13, "text": "Z\u00fcrich it is"},
                "groundingChunkIndices": [2],
            },
        ],
    }
    assert whole(reply)["candidates"][0]["groundingMetadata"] == expected
    assert frames(stream(unfold(reply)))[-1]["candidates"][0]["groundingMetadata"] == expected
    bare = answer(ServerToolCall("s", "web_search", Json(b'{"query":"q"}')))
    assert whole(bare)["candidates"][0]["groundingMetadata"] == {
        "webSearchQueries": ["q"],
        "groundingChunks": [],
    }


# --------------------------------------------------------------------------------------------- ends


@pytest.mark.parametrize(
    "reason,word",
    [
        (StopReason.END_TURN, "STOP"),
        (StopReason.TOOL_USE, "STOP"),
        (StopReason.STOP_SEQUENCE, "STOP"),
        (StopReason.PAUSE_TURN, "STOP"),
        (StopReason.MAX_TOKENS, "MAX_TOKENS"),
        (StopReason.CONTEXT_WINDOW, "MAX_TOKENS"),
        (StopReason.REFUSAL, "SAFETY"),
    ],
)
def test_reasons(reason: StopReason, word: str) -> None:
    reply = answer(Text("x"), reason=reason)
    assert whole(reply)["candidates"][0]["finishReason"] == word
    assert frames(stream(unfold(reply)))[-1]["candidates"][0]["finishReason"] == word


def test_what_gemini_said_of_the_end_is_said_again() -> None:
    details = StopDetails("gemini", Json(b'{"finishReason":"RECITATION","finishMessage":"why"}'))
    told = whole(answer(Text("x"), reason=StopReason.REFUSAL, details=details))["candidates"][0]
    assert (told["finishReason"], told["finishMessage"]) == ("RECITATION", "why")
    other = StopDetails("anthropic", Json(b'{"category":"x"}'))
    assert (
        whole(answer(reason=StopReason.REFUSAL, details=other))["candidates"][0]["finishReason"] == "SAFETY"
    )
    blocked = StopDetails("gemini", Json(b'{"promptFeedback":{"blockReason":"SAFETY"}}'))
    reply = answer(reason=StopReason.REFUSAL, details=blocked)
    for body in (whole(reply), frames(stream(unfold(reply)))[-1]):
        assert body["promptFeedback"] == {"blockReason": "SAFETY"}
        assert "candidates" not in body


def test_the_last_chunk_has_usage_and_a_part() -> None:
    usage = Usage(input_uncached=5, cache_read=10, output=7, reasoning=3)
    events: list[StreamEvent] = [MessageStart("", ""), UsageUpdate(usage), MessageStop(StopReason.END_TURN)]
    (last,) = frames(stream(events))
    assert last == {
        "candidates": [
            {"content": {"parts": [{"text": ""}], "role": "model"}, "finishReason": "STOP", "index": 0}
        ],
        "usageMetadata": {
            "promptTokenCount": 15,
            "candidatesTokenCount": 4,
            "cachedContentTokenCount": 10,
            "thoughtsTokenCount": 3,
            "totalTokenCount": 22,
        },
        "modelVersion": "asked",
        "responseId": "new",
    }
    (guessed,) = frames(stream([MessageStart("", ""), MessageStop(StopReason.END_TURN)], estimate=9))
    assert guessed["usageMetadata"]["promptTokenCount"] == 9


def test_a_broken_call_is_an_error_unless_it_was_cut_off() -> None:
    broken = ToolCall("c", "f", Json(b'{"a":'))
    failed = frames(stream(unfold(answer(broken))))[-1]
    assert failed["error"]["code"] == 502
    assert "broken JSON" in failed["error"]["message"]
    assert "error" in frames(stream(unfold(answer(broken, Text("x"), reason=StopReason.MAX_TOKENS))))[-1]
    with pytest.raises(UpstreamProtocolError):
        CLIENT.write_reply(answer(broken), FACTS, THOUGHTS)
    cut = answer(Text("x"), broken, reason=StopReason.MAX_TOKENS)
    assert whole(cut)["candidates"][0]["content"]["parts"] == [{"text": "x"}]
    assert frames(stream(unfold(cut)))[-1]["candidates"][0]["finishReason"] == "MAX_TOKENS"


def test_a_failure_is_an_event_and_nothing_follows() -> None:
    encoder = CLIENT.stream_encoder(FACTS, Echo())
    failed = StreamFailed(LimitedError("slow down", retry_after=2.5))
    (chunk,) = frames(encoder.feed([failed, TextDelta("x")]))
    assert chunk == {
        "error": {
            "code": 429,
            "message": "slow down",
            "status": "RESOURCE_EXHAUSTED",
            "details": [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "3s"}],
        }
    }
    assert encoder.feed([TextDelta("x")]) == b""
    assert encoder.keep_alive() == b""


def test_a_providers_own_error_is_said_in_one_line() -> None:
    body = b'{\n "error": {"code": 400, "message": "theirs", "status": "X"}\n}'
    error = UpstreamRejectedError("x", upstream=UpstreamReply("gemini", 400, {}, body))
    (chunk,) = frames(stream([StreamFailed(error)]))
    assert chunk["error"]["message"] == "theirs"
    listed = UpstreamRejectedError("ours", upstream=UpstreamReply("gemini", 400, {}, b"[" + body + b"]"))
    assert frames(stream([StreamFailed(listed)]))[0]["error"]["message"] == "ours"


def test_an_array_of_chunks_and_of_an_error() -> None:
    array = Echo(sse=False)
    encoder = CLIENT.stream_encoder(FACTS, array)
    assert encoder.content_type == "application/json; charset=UTF-8"
    data = encoder.keep_alive() + encoder.feed(
        [MessageStart("r", "m"), BlockStart(0, Text("")), TextDelta("a")]
    )
    data += encoder.keep_alive() + encoder.feed(
        [TextDelta("b"), BlockStop(0), MessageStop(StopReason.END_TURN)]
    )
    assert len(msgspec.json.decode(data)) == 3
    failed = msgspec.json.decode(stream([StreamFailed(LimitedError("x"))], array))
    assert failed[0]["error"]["code"] == 429
    late: list[StreamEvent] = [
        MessageStart("r", "m"),
        BlockStart(0, Text("")),
        TextDelta("a"),
        StreamFailed(LimitedError("x")),
    ]
    assert msgspec.json.decode(stream(late, array))[1]["error"]["code"] == 429


def test_keep_alives_say_nothing() -> None:
    encoder = CLIENT.stream_encoder(FACTS, Echo())
    data = encoder.keep_alive() + encoder.keep_alive()
    data += (
        encoder.feed([MessageStart("r", "m"), BlockStart(0, Thinking("")), ThinkingDelta("x")])
        + encoder.keep_alive()
    )
    data += encoder.feed(
        [BlockStop(0), BlockStart(1, ToolCall("c", "f", "")), ToolInputDelta("{}"), BlockStop(1)]
    )
    assert len(SseFramer().feed(data)) == 1


def test_an_echo_of_nobody_is_the_usual() -> None:
    assert CLIENT.stream_encoder(FACTS, None).content_type.startswith("text/event-stream")
    told = whole(answer(Thinking("x"), Text("y")), None)
    assert told["candidates"][0]["content"]["parts"] == [{"text": "y"}]
    assert GeminiClient().write_reply(answer(), FACTS, None)
    named = msgspec.json.decode(
        GeminiClient().write_reply(Reply("", "", (), StopReason.END_TURN), FACTS, None)
    )
    assert named["responseId"].startswith("ccr_")
    assert CLIENT.write_count(7) == b'{"totalTokens":7}'
