"""Replies in short, for tests to compare."""

from __future__ import annotations

from collections.abc import Iterable

from ccr.domain.stream import (
    BlockStart,
    CitationDelta,
    Folder,
    MessageStop,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
)


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
