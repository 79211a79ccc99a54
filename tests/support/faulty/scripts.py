"""What each dialect says when all goes well: the pieces that faults cut, bend and repeat."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from attrs import frozen

__all__ = ["SCRIPTS", "TEXT", "Script", "dump", "event"]

TEXT = "Hello brave world"
_WORDS = ("Hello", " brave", " world")


def dump(value: object) -> bytes:
    """Return JSON."""
    return msgspec.json.encode(value)


def event(value: object, name: str = "") -> bytes:
    """Return an SSE event."""
    data = value if isinstance(value, bytes) else dump(value)
    return (f"event: {name}\n".encode() if name else b"") + b"data: " + data + b"\n\n"


@frozen
class Script:
    """``opening``, ``deltas`` and ``closing`` make a streamed reply; ``finish`` is the place in ``closing`` after which the
    model has said that it is done. ``failure`` is an error inside a stream.
    """

    dialect: str
    opening: tuple[bytes, ...]
    deltas: tuple[bytes, ...]
    closing: tuple[bytes, ...]
    whole: bytes
    failure: bytes

    @property
    def events(self) -> tuple[bytes, ...]:
        """Everything."""
        return (*self.opening, *self.deltas, *self.closing)

    def error(self, message: str, kind: str = "api_error", code: str = "") -> bytes:
        """Return an error body."""
        if self.dialect == "anthropic":
            return dump({"type": "error", "error": {"type": kind, "message": message}})
        if self.dialect == "gemini":
            return dump({"error": {"code": 0, "message": message, "status": code or kind.upper()}})
        return dump({"error": {"message": message, "type": kind, "code": code or None, "param": None}})

    def saying(self, text: str) -> bytes:
        """Return a delta with another text."""
        return _DELTA[self.dialect](text)


def _named(value: Mapping[str, Any]) -> bytes:
    return event(value, str(value["type"]))


# ------------------------------------------------------------------------------------------------------- chat


def chat_chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
    """Return a chunk of chat completions."""
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return event(
        {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]} | more
    )


_CHAT_USAGE = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
_CHAT = Script(
    "openai_chat",
    (chat_chunk({"role": "assistant", "content": ""}),),
    tuple(chat_chunk({"content": word}) for word in _WORDS),
    (
        chat_chunk({}, "stop"),
        event({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [], "usage": _CHAT_USAGE}),
        b"data: [DONE]\n\n",
    ),
    dump(
        {
            "id": "c",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
            "usage": _CHAT_USAGE,
        }
    ),
    event({"error": {"message": "it broke", "type": "server_error", "code": None}}),
)  # fmt: skip

# -------------------------------------------------------------------------------------------------- anthropic

_BLOCK = {"type": "text", "text": ""}
_MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_sequence": None}
_ANTHROPIC = Script(
    "anthropic",
    (
        _named(
            {
                "type": "message_start",
                "message": {**_MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 1}},
            }
        ),
        _named({"type": "content_block_start", "index": 0, "content_block": _BLOCK}),
    ),
    tuple(
        _named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
        for word in _WORDS
    ),
    (
        _named({"type": "content_block_stop", "index": 0}),
        _named(
            {
                "type": "message_delta",
                "delta": {"stop_reason": "end_turn", "stop_sequence": None},
                "usage": {"output_tokens": 3},
            }
        ),
        _named({"type": "message_stop"}),
    ),
    dump(
        {
            **_MESSAGE,
            "content": [{"type": "text", "text": TEXT}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 9, "output_tokens": 3},
        }
    ),
    _named({"type": "error", "error": {"type": "api_error", "message": "it broke"}}),
)  # fmt: skip

# -------------------------------------------------------------------------------------------------- responses


def _response(status: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "model": "m",
        "status": status,
        "output": [],
    } | more


_ITEM = {"id": "it_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
_PART = {"type": "output_text", "text": "", "annotations": []}
_DONE_ITEM = {**_ITEM, "status": "completed", "content": [{**_PART, "text": TEXT}]}
_RESPONSES_USAGE = {"input_tokens": 9, "output_tokens": 3, "total_tokens": 12}
_AT = {"item_id": "it_1", "output_index": 0, "content_index": 0}
_RESPONSES = Script(
    "openai_responses",
    (
        _named({"type": "response.created", "sequence_number": 0, "response": _response("in_progress")}),
        _named({"type": "response.output_item.added", "sequence_number": 1, "output_index": 0, "item": _ITEM}),
        _named({"type": "response.content_part.added", "sequence_number": 2, **_AT, "part": _PART}),
    ),
    tuple(
        _named({"type": "response.output_text.delta", "sequence_number": 3 + at, **_AT, "delta": word})
        for at, word in enumerate(_WORDS)
    ),
    (
        _named({"type": "response.output_text.done", "sequence_number": 6, **_AT, "text": TEXT}),
        _named({"type": "response.output_item.done", "sequence_number": 7, "output_index": 0, "item": _DONE_ITEM}),
        _named(
            {
                "type": "response.completed",
                "sequence_number": 8,
                "response": _response("completed", output=[_DONE_ITEM], usage=_RESPONSES_USAGE),
            }
        ),
    ),
    dump(_response("completed", output=[_DONE_ITEM], usage=_RESPONSES_USAGE)),
    _named(
        {
            "type": "response.failed",
            "sequence_number": 9,
            "response": _response("failed", error={"code": "server_error", "message": "it broke"}),
        }
    ),
)  # fmt: skip

# ----------------------------------------------------------------------------------------------------- gemini


def gemini_chunk(parts: Any, finish: str = "", **more: Any) -> dict[str, Any]:
    """Return a chunk of Gemini as a value."""
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 9, "candidatesTokenCount": 3, "totalTokenCount": 12}
    return {"candidates": [candidate], "modelVersion": "m", "usageMetadata": usage} | more


_GEMINI = Script(
    "gemini",
    (),
    tuple(event(gemini_chunk([{"text": word}])) for word in _WORDS),
    (event(gemini_chunk([{"text": ""}], "STOP")),),
    dump(gemini_chunk([{"text": TEXT}], "STOP")),
    event({"error": {"code": 500, "message": "it broke", "status": "INTERNAL"}}),
)

_DELTA = {
    "openai_chat": lambda text: chat_chunk({"content": text}),
    "anthropic": lambda text: _named(
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}
    ),
    "openai_responses": lambda text: _named(
        {"type": "response.output_text.delta", "sequence_number": 3, **_AT, "delta": text}
    ),
    "gemini": lambda text: event(gemini_chunk([{"text": text}])),
}

SCRIPTS: Mapping[str, Script] = {
    script.dialect: script for script in (_CHAT, _ANTHROPIC, _RESPONSES, _GEMINI)
}
