"""Parts of messages: texts, pictures, documents and what becomes of everything else. Pure and context-free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias, cast

from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.data_url import write_data_url
from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.notes import left_out
from ccr.domain.conversation import (
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    Text,
    ToolReference,
    Url,
)
from ccr.domain.fidelity import Loss

if TYPE_CHECKING:
    from ccr.domain.conversation import CacheMark, ContentBlock
    from ccr.domain.models import ModelProfile
    from ccr.domain.verbatim import Json

__all__ = ["Losses", "Message", "lose", "marked", "write_part"]

Message: TypeAlias = dict[str, object]
Losses: TypeAlias = dict[Loss, None]
"""What was lost, each once, in order."""


def write_part(block: ContentBlock, profile: ModelProfile, losses: Losses) -> list[Message]:
    """Return the parts of a user's message (none or one) that a block becomes."""
    match block:
        case Text(text=text, cache=cache):
            part: Message = {"type": "text", "text": text}
            return [marked(part, cache if profile.cache_marks else None)] if text else []
        case Image():
            return [_image(block, profile, losses)]
        case Document():
            return [_document(block, profile, losses)]
        case ToolReference(name=name):
            return [_note(f"Tool available: {short_name(name)}")]
        case Opaque(dialect=dialect, data=data) if dialect == NAME:
            return [cast("Message", json.decode(data.data))]
        case Opaque(kind="search_result", data=data):
            return [_search_result(data)]
        case Opaque(kind=kind):
            lose(block, losses)
            return [_note(left_out(kind))]
        case _:
            lose(block, losses)
            return []


def _image(image: Image, profile: ModelProfile, losses: Losses) -> Message:
    source = image.source
    if not profile.images:
        losses[Loss("image", "as text")] = None
        return _note("[image left out: this model cannot see images]")
    if isinstance(source, FileRef):
        losses[Loss("image", "as text")] = None
        return _note("[image left out: it is a file kept by another provider]")
    url = source.url if isinstance(source, Url) else write_data_url(source)
    part: Message = {"type": "image_url", "image_url": {"url": url}}
    return marked(part, image.cache if profile.cache_marks else None)


def _document(document: Document, profile: ModelProfile, losses: Losses) -> Message:
    source = document.source
    title = document.title or "document"
    if isinstance(source, Inline) and source.encoding == "text":
        head = f"{title}:\n{document.context}\n" if document.context else f"{title}:\n"
        return _note(head + source.data)
    if profile.documents and isinstance(source, Inline):
        name = document.title or "document.pdf"
        return {"type": "file", "file": {"filename": name, "file_data": write_data_url(source)}}
    losses[Loss("document", "as text")] = None
    if isinstance(source, Url):
        return _note(f"[document {title!r} left out: this model cannot read it; it is at {source.url}]")
    return _note(f"[document {title!r} left out: this model cannot read it]")


def _search_result(data: Json) -> Message:
    """A search result of the client's own (Anthropic ``search_result``): its texts, with their source."""
    found = json.object_of(data.data) or {}
    content = found.get("content")
    texts = [
        part["text"]
        for part in (content if isinstance(content, list) else ())
        if isinstance(part, Mapping) and isinstance(part.get("text"), str)
    ]
    return _note("\n".join([f"{found.get('title', '')} ({found.get('source', '')})", *texts]))


def _note(text: str) -> Message:
    return {"type": "text", "text": text}


def marked(part: Message, cache: CacheMark | None) -> Message:
    """Return the part with a cache mark, if there is one."""
    if cache is None:
        return part
    mark: Message = {"type": "ephemeral"}
    if cache.ttl:
        mark["ttl"] = cache.ttl
    return {**part, "cache_control": mark}


def lose(block: ContentBlock, losses: Losses) -> None:
    """Note that nothing of a block is left."""
    what = block.kind if isinstance(block, Opaque) else _WORDS.get(type(block).__name__, "block")
    losses[Loss(what)] = None


_WORDS = {
    "Thinking": "thinking",
    "ServerToolCall": "server_tool",
    "ServerToolResult": "server_tool",
    "Image": "image",
    "Document": "document",
    "ToolCall": "tool_call",
    "ToolResult": "tool_result",
    "ToolReference": "tool_reference",
}
