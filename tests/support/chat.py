"""Chat completions by hand: chunks as a provider sends them, and what a decoder makes of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.stream import (
    BlockStart,
    CitationDelta,
    Folder,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)

DONE = b"data: [DONE]\n\n"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, **fields: Any) -> bytes:
    """One event; `delta` None = no choices."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    whole = {"id": "c1", "object": "chat.completion.chunk", "model": "m", "choices": choices, **fields}
    return b"data: " + msgspec.json.encode(whole) + b"\n\n"


def text(words: str) -> bytes:
    return chunk({"content": words})


def thought(words: str) -> bytes:
    return chunk({"reasoning_content": words})


def tool(
    arguments: object = None, index: int | None = 0, call: str | None = None, name: str | None = None
) -> bytes:
    return chunk({"tool_calls": [piece(arguments, index, call, name)]})


def piece(
    arguments: object = None, index: int | None = 0, call: str | None = None, name: str | None = None
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    made = {"index": index, "id": call, "function": {k: v for k, v in function.items() if v is not None}}
    return {key: value for key, value in made.items() if value is not None}


def finish(reason: str = "stop") -> bytes:
    return chunk({}, reason)


def usage(prompt: int = 100, output: int = 7, cached: int = 40) -> bytes:
    said = {
        "prompt_tokens": prompt,
        "completion_tokens": output,
        "prompt_tokens_details": {"cached_tokens": cached},
    }
    return chunk(None, usage=said)


def decode(data: Iterable[bytes], *, close: bool = True) -> list[StreamEvent]:
    """Feed each piece as its own network read; the events are checked against the grammar."""
    decoder = OpenAIChatProvider().stream_decoder(SseFramer())
    events: list[StreamEvent] = []
    for read in data:
        events.extend(decoder.feed(read))
    if close:
        events.extend(decoder.close())
    grammar = StreamGrammar()
    grammar.check(events)
    assert grammar.ended or not close
    return events


def outline(events: Iterable[StreamEvent]) -> list[str]:
    """The reply in short: `text:Hello`, `thinking:hm`, `tool:id:name:input`, then `end_turn` or `failed:kind`."""
    lines: list[str] = []
    for event in events:
        match event:
            case BlockStart(block=block):
                kind = type(block).__name__
                call = f"{getattr(block, 'id', '')}:{getattr(block, 'name', '')}:"
                lines.append(f"tool:{call}" if kind == "ToolCall" else f"{kind.lower()}:")
            case TextDelta(text=words) | ThinkingDelta(text=words) | ToolInputDelta(text=words):
                lines[-1] += words
            case CitationDelta(citation=citation):
                lines[-1] += f"[{citation.url}]"
            case MessageStop(reason=reason):
                lines.append(reason.value)
            case StreamFailed(error=error):
                lines.append(f"failed:{error.kind}")
            case _:
                pass
    return lines


def folded(events: Iterable[StreamEvent]) -> Folder:
    folder = Folder()
    folder.feed(events)
    return folder
