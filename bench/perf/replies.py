"""What the upstream answers: HTTP/1.1 bytes of both dialects, by the pieces in which they arrive.

The same shape as the benchmark's own mock: 64 content events of about 290 bytes, usage, and the end.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

EVENTS = 64
EVENT_BYTES = 290
INPUT_PIECES = 24
"""Events that carry pieces of one tool call's input; the tool stream has two calls."""
LAST_WORDS = "END-OF-REPLY"
LOREM = "the quick brown fox jumps over the lazy dog and writes a line of code, then "
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\n"
    b"request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n"
)
CHAT_EVENT = {
    "id": "chatcmpl-bench0123456789",
    "object": "chat.completion.chunk",
    "created": 1_790_000_000,
    "model": "m1",
    "system_fingerprint": "fp_bench",
}


@dataclass(frozen=True)
class Reply:
    """``head`` and ``parts`` (the events of a stream, each an HTTP chunk; of a plain reply its body).

    ``opening``: how many events there are up to the first text.
    """

    head: bytes
    parts: tuple[bytes, ...]
    opening: int = 1

    @property
    def whole(self) -> tuple[bytes, ...]:
        """Everything in one read, as it comes from a provider that is faster than we."""
        return (self.head + b"".join(self.parts),)

    @property
    def paced(self) -> tuple[bytes, ...]:
        """The head with everything up to the first text, then a read for each event."""
        return (self.head + b"".join(self.parts[: self.opening]), *self.parts[self.opening :])


def stream(dialect: str, events: int = EVENTS) -> Reply:
    """``events`` deltas of text."""
    texts = [words(place, last=place == events - 1) for place in range(events)]
    return chunked(anthropic_text(texts), opening=3) if dialect == "anthropic" else chunked(chat_text(texts))


def tool_stream(dialect: str) -> Reply:
    """A sentence, then two tool calls whose inputs come in pieces."""
    return chunked(anthropic_tools(), opening=3) if dialect == "anthropic" else chunked(chat_tools())


def plain(dialect: str) -> Reply:
    """The text of the stream as one JSON reply."""
    text = " ".join(words(place, last=place == EVENTS - 1) for place in range(EVENTS))
    if dialect == "anthropic":
        body = anthropic_message() | {
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 1000, "output_tokens": 640},
        }
    else:
        message = {"role": "assistant", "content": text}
        body = CHAT_EVENT | {
            "object": "chat.completion",
            "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
            "usage": chat_usage(),
        }
    data = encode(body)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nrequest-id: req_bench\r\n"
    return Reply(head + b"content-length: %d\r\n\r\n" % len(data), (data,))


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def words(place: int, *, last: bool) -> str:
    """As many words as bring an event of either dialect to about ``EVENT_BYTES``."""
    text = f"{place:02d} " + (LOREM * 3)[: EVENT_BYTES - 170]
    return text[: -len(LAST_WORDS)] + LAST_WORDS if last else text


def chunked(events: Iterator[bytes], opening: int = 1) -> Reply:
    parts = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
    parts[-1] += b"0\r\n\r\n"
    return Reply(STREAM_HEAD, tuple(parts), opening)


# ------------------------------------------------------------------------------------------- OpenAI chat


def chat_usage() -> dict[str, int]:
    return {"prompt_tokens": 1000, "completion_tokens": 640, "total_tokens": 1640}


def chat(delta: dict[str, Any], finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return b"data: %b\n\n" % encode(CHAT_EVENT | {"choices": [choice]})


def chat_end(finish: str) -> Iterator[bytes]:
    yield chat({}, finish)
    yield b"data: %b\n\n" % encode(CHAT_EVENT | {"choices": [], "usage": chat_usage()})
    yield b"data: [DONE]\n\n"


def chat_text(texts: list[str]) -> Iterator[bytes]:
    for place, text in enumerate(texts):
        yield chat(({} if place else {"role": "assistant"}) | {"content": text})
    yield from chat_end("stop")


def chat_tools() -> Iterator[bytes]:
    yield chat({"role": "assistant", "content": words(0, last=False)})
    for call in range(2):
        named = {"name": "Bash", "arguments": ""}
        yield chat(
            {"tool_calls": [{"index": call, "id": f"call_{call}", "type": "function", "function": named}]}
        )
        for piece in input_pieces(call):
            yield chat({"tool_calls": [{"index": call, "function": {"arguments": piece}}]})
    yield from chat_end("tool_calls")


def input_pieces(call: int) -> Iterator[str]:
    """The input of one call, piece by piece, as models write it: a few letters each."""
    yield '{"command":"cat /project/src'
    for place in range(INPUT_PIECES - 2):
        yield f"/part{place:02d}"
    yield f'/file{call}.py"}}'


# --------------------------------------------------------------------------------------------- Anthropic


def anthropic_message() -> dict[str, Any]:
    return {
        "id": "msg_bench",
        "type": "message",
        "role": "assistant",
        "model": "m1",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 1000, "cache_read_input_tokens": 0, "output_tokens": 1},
    }


def anthropic(kind: str, **fields: Any) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), encode({"type": kind, **fields}))


def anthropic_block(index: int, block: dict[str, Any], deltas: list[dict[str, Any]]) -> Iterator[bytes]:
    yield anthropic("content_block_start", index=index, content_block=block)
    for delta in deltas:
        yield anthropic("content_block_delta", index=index, delta=delta)
    yield anthropic("content_block_stop", index=index)


def anthropic_end(reason: str) -> Iterator[bytes]:
    delta = {"stop_reason": reason, "stop_sequence": None}
    yield anthropic("message_delta", delta=delta, usage={"output_tokens": 640})
    yield anthropic("message_stop")


def anthropic_text(texts: list[str]) -> Iterator[bytes]:
    yield anthropic("message_start", message=anthropic_message())
    yield from anthropic_block(
        0, {"type": "text", "text": ""}, [{"type": "text_delta", "text": text} for text in texts]
    )
    yield from anthropic_end("end_turn")


def anthropic_tools() -> Iterator[bytes]:
    yield anthropic("message_start", message=anthropic_message())
    said = [{"type": "text_delta", "text": words(0, last=False)}]
    yield from anthropic_block(0, {"type": "text", "text": ""}, said)
    for call in range(2):
        block = {"type": "tool_use", "id": f"toolu_{call}", "name": "Bash", "input": {}}
        pieces = [{"type": "input_json_delta", "partial_json": piece} for piece in input_pieces(call)]
        yield from anthropic_block(call + 1, block, pieces)
    yield from anthropic_end("tool_use")
