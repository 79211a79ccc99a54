"""Replies to be cut, in two dialects, and a provider that goes on where one was cut, as a model would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from attrs import define, frozen

from ccr.adapters.upstream.fake import Reply
from ccr.adapters.wire import json
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.errors import UpstreamUnavailableError
from tests.support.assembly import sse, streamed

__all__ = ["Block", "CutOnce", "Piece", "Sequel", "anthropic", "chat", "joined"]

_MARK = "cut off in transit"
_TAIL = re.compile(r"<tail>(.+)</tail>", re.DOTALL)


@frozen
class Block:
    """``kind``: ``text``, ``thinking`` or ``tool`` (then ``text`` is its JSON, and ``id`` its id)."""

    kind: str
    text: str
    id: str = ""


@frozen
class Piece:
    """One event: its bytes, and the kind of the block that is open behind it (empty = none)."""

    data: bytes
    opens: str


def joined(pieces: Sequence[Piece]) -> bytes:
    """Return the bytes of a reply."""
    return b"".join(piece.data for piece in pieces)


def _halves(text: str) -> tuple[str, ...]:
    middle = len(text) // 2
    return text[:middle], text[middle:]


def anthropic(blocks: Sequence[Block], tokens: int = 10) -> list[Piece]:
    """Return the events of a reply of the Messages API."""
    usage = {"input_tokens": tokens, "output_tokens": 1}
    message = {"id": "msg_1", "role": "assistant", "model": "m", "content": [], "usage": usage}
    pieces = [Piece(sse({"type": "message_start", "message": message}), "")]
    for index, block in enumerate(blocks):
        start: dict[str, Any] = {"type": "text", "text": ""}
        name, field = "text_delta", "text"
        if block.kind == "thinking":
            start, name, field = {"type": "thinking", "thinking": ""}, "thinking_delta", "thinking"
        elif block.kind == "tool":
            start = {"type": "tool_use", "id": block.id, "name": "Read", "input": {}}
            name, field = "input_json_delta", "partial_json"
        deltas = [{"type": name, field: half} for half in _halves(block.text)]
        if block.kind == "thinking":
            deltas.append({"type": "signature_delta", "signature": "c2ln"})
        at = {"index": index}
        pieces.append(Piece(sse({"type": "content_block_start", **at, "content_block": start}), block.kind))
        pieces += [
            Piece(sse({"type": "content_block_delta", **at, "delta": delta}), block.kind) for delta in deltas
        ]
        pieces.append(Piece(sse({"type": "content_block_stop", **at}), ""))
    reason = "tool_use" if any(block.kind == "tool" for block in blocks) else "end_turn"
    end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": 7}}
    return [*pieces, Piece(sse(end), ""), Piece(sse({"type": "message_stop"}), "")]


def chat(blocks: Sequence[Block], tokens: int = 10) -> list[Piece]:
    """Return the events of a reply of chat completions."""
    pieces: list[Piece] = []
    calls = 0
    for block in blocks:
        for number, half in enumerate(_halves(block.text)):
            if block.kind == "tool":
                call: dict[str, Any] = {"index": calls, "function": {"arguments": half}}
                if not number:
                    call |= {"id": block.id, "function": {"name": "Read", "arguments": half}}
                delta: dict[str, Any] = {"tool_calls": [call]}
            else:
                delta = {"content" if block.kind == "text" else "reasoning_content": half}
            pieces.append(Piece(_chunk({"delta": delta}), block.kind))
        calls += block.kind == "tool"
    usage = {"prompt_tokens": tokens, "completion_tokens": 7}
    return [
        *pieces,
        Piece(_chunk({"delta": {}, "finish_reason": "tool_calls" if calls else "stop"}), ""),
        Piece(b"data: %s\n\n" % json.encode({"id": "c", "choices": [], "usage": usage}), ""),
        Piece(b"data: [DONE]\n\n", ""),
    ]


def _chunk(choice: dict[str, Any]) -> bytes:
    return b"data: %s\n\n" % json.encode({"id": "c", "model": "m", "choices": [{"index": 0, **choice}]})


@define
class Sequel:
    """Answers to the request for the rest of ``blocks``.

    ``repeats``: what it begins with. ``anchor``: the words that it is asked for; ``line``: these on a line of their own;
    ``all``: the whole text block from its beginning; ``nothing``.
    """

    blocks: Sequence[Block]
    repeats: str

    def __call__(self, request: UpstreamRequest) -> Reply:
        """Return the rest, in the dialect of the request."""
        said: Any = json.decode(request.body)
        make = chat if request.url.endswith("/chat/completions") else anthropic
        return streamed(joined(make(self.rest(said["messages"]), tokens=20)))

    def rest(self, messages: Sequence[dict[str, Any]]) -> list[Block]:
        """Return what is missing of the reply, from what the request says of it; all of it if nothing was said."""
        asked = _text(messages[-1])
        if _MARK not in asked:
            return list(self.blocks)
        have = _text(messages[-2])
        left: list[Block] = []
        behind = ""
        for block in self.blocks:
            if block.kind != "text":
                left += [] if have else [block]
            elif have:
                given = len(_common(have, block.text))
                # Chat completions keep texts apart by a line break.
                have, behind = have[given:].removeprefix("\n"), block.text[:given]
                left += [Block("text", block.text[given:])] if given < len(block.text) else []
            else:
                left.append(block)
        tail = _TAIL.search(asked)
        first = {"nothing": "", "all": behind}.get(self.repeats, tail.group(1) if tail else "")
        first = "\n" + first if self.repeats == "line" else first
        if left and left[0].kind == "text":
            return [Block("text", first + left[0].text), *left[1:]]
        return [Block("text", first), *left] if first else left


def _common(one: str, other: str) -> str:
    length = min(len(one), len(other))
    return next((one[:at] for at in range(length) if one[at] != other[at]), one[:length])


def _text(message: dict[str, Any]) -> str:
    content = message["content"]
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content if part["type"] == "text")


@define
class CutOnce:
    """A provider that is cut after ``cut`` bytes and then gives the rest; every other time it ends in a reset."""

    whole: bytes
    sequel: Sequel
    cut: int = 0
    asked: int = 0

    def at(self, cut: int) -> None:
        """Begin anew."""
        self.cut, self.asked = cut, 0

    def __call__(self, request: UpstreamRequest) -> Reply:
        """Answer."""
        self.asked += 1
        if self.asked > 1:
            return self.sequel(request)
        resets = [UpstreamUnavailableError("reset")] if self.cut % 2 else []
        return streamed(self.whole[: self.cut], *resets)
