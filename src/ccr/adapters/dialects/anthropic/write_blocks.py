"""Content blocks to the wire: of requests, replies and block starts alike. Pure and context-free."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

from ccr.adapters.dialects.anthropic.seals import REDACTED, SEARCH, is_home, write_seal
from ccr.adapters.dialects.anthropic.wire import DIALECT, Raw
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.envelope import wrap
from ccr.domain.conversation import (
    CacheMark,
    Document,
    Image,
    Inline,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Url,
)
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ccr.domain.conversation import Citation, ContentBlock, Source

__all__ = ["Wire", "cache_control", "server_id", "write_block", "write_blocks", "write_citation"]

_SERVER_ID = re.compile(r"srvtoolu_[a-zA-Z0-9_]+")

Wire: TypeAlias = dict[str, object]
"""A JSON object; nested JSON text is ``Raw``."""


def write_blocks(blocks: Iterable[ContentBlock]) -> list[Wire | Raw]:
    """Write the blocks that this dialect has a word for; another dialect's opaque ones are left out."""
    return [wire for block in blocks if (wire := write_block(block)) is not None]


def write_block(block: ContentBlock) -> Wire | Raw | None:
    """Write one block, None if it has no form here."""
    return _WRITERS[type(block)](block)


def cache_control(mark: CacheMark) -> Wire:
    """Return a ``cache_control``."""
    wire: Wire = {"type": "ephemeral"}
    if mark.ttl is not None:
        wire["ttl"] = mark.ttl
    if mark.scope is not None:
        wire["scope"] = mark.scope
    return wire


def write_citation(citation: Citation) -> Wire | Raw | None:
    """Write a citation: our own as it came, another dialect's web citation as a search result location."""
    if citation.dialect == DIALECT and citation.rest is not None:
        return Raw(citation.rest.data)
    if not citation.url:
        return None
    return {
        "type": "web_search_result_location",
        "url": citation.url,
        "title": citation.title or None,
        "encrypted_index": "",
        "cited_text": citation.cited_text,
    }


def _marked(wire: Wire, cache: CacheMark | None) -> Wire:
    if cache is not None:
        wire["cache_control"] = cache_control(cache)
    return wire


def _text(block: Text) -> Wire:
    wire: Wire = {"type": "text", "text": block.text}
    citations = [written for one in block.citations if (written := write_citation(one)) is not None]
    if citations:
        wire["citations"] = citations
    return _marked(wire, block.cache)


def _image(block: Image) -> Wire:
    return _marked({"type": "image", "source": _source(block.source)}, block.cache)


def _document(block: Document) -> Wire:
    wire: Wire = {"type": "document", "source": _source(block.source)}
    if block.title is not None:
        wire["title"] = block.title
    if block.context is not None:
        wire["context"] = block.context
    if block.citations:
        wire["citations"] = {"enabled": True}
    return _marked(wire, block.cache)


def _source(source: Source) -> Wire:
    match source:
        case Inline(media_type=media_type, data=data, encoding=encoding):
            return {"type": encoding, "media_type": media_type, "data": data}
        case Url(url=url):
            return {"type": "url", "url": url}
        case _:
            return {"type": "file", "file_id": source.id}


def _thinking(block: Thinking) -> Wire:
    seal = block.seal
    if seal is None:
        return {"type": "thinking", "thinking": block.text, "signature": ""}
    if seal.form == REDACTED and is_home(seal) and not block.text:
        return {"type": "redacted_thinking", "data": seal.data}
    return {"type": "thinking", "thinking": block.text, "signature": write_seal(seal)}


def _tool_call(block: ToolCall) -> Wire:
    return _marked(_call("tool_use", block), block.cache)


def _server_tool_call(block: ServerToolCall) -> Wire:
    return _marked({**_call("server_tool_use", block), "id": server_id(block.id)}, block.cache)


def server_id(call_id: str) -> str:
    """Return an id that this dialect gives its own tools' calls; one that is none is made one, always the same."""
    if _SERVER_ID.fullmatch(call_id):
        return call_id
    return f"srvtoolu_ccr_{sha256(call_id.encode('utf-8', 'surrogatepass')).hexdigest()[:24]}"


def _call(kind: str, block: ToolCall | ServerToolCall) -> Wire:
    given = block.input
    # Free text has no place here: it goes as the one argument that such a tool is declared with.
    value: object = Raw(given.data) if isinstance(given, Json) else ({"input": given} if given else {})
    return {"type": kind, "id": block.id, "name": block.name, "input": value}


def _tool_result(block: ToolResult) -> Wire:
    wire: Wire = {"type": "tool_result", "tool_use_id": block.call_id}
    match block.content:
        case (Text(text=text),) if block.plain:
            wire["content"] = text
        case ():
            pass
        case parts:
            wire["content"] = write_blocks(parts)
    if block.is_error:
        wire["is_error"] = True
    return _marked(wire, block.cache)


def _tool_reference(block: ToolReference) -> Wire:
    return {"type": "tool_reference", "tool_name": block.name}


def _server_tool_result(block: ServerToolResult) -> Wire | None:
    if block.dialect == DIALECT:
        content = block.content.data
    elif block.kind == web_results.KIND:
        content = _sealed_results(block)
    else:
        return None
    wire: Wire = {"type": block.kind, "tool_use_id": server_id(block.call_id), "content": Raw(content)}
    return _marked(wire, block.cache)


def _sealed_results(block: ServerToolResult) -> bytes:
    """Write another's results: what Anthropic would encrypt is in our envelope, so that it is known for what it is."""
    results = web_results.results_of(block.content)
    if not results:
        return block.content.data
    return json.encode_wire([_sealed_result(one, Origin(block.dialect)) for one in results])


def _sealed_result(one: Mapping[str, object], origin: Origin) -> Wire:
    text, age = one.get("encrypted_content"), one.get("page_age")
    return {
        "type": "web_search_result",
        "url": str(one.get("url") or ""),
        "title": str(one.get("title") or ""),
        "encrypted_content": wrap(Seal(origin, SEARCH, text if isinstance(text, str) else "")),
        "page_age": age if isinstance(age, str) else None,
    }


def _opaque(block: Opaque) -> Raw | None:
    return Raw(block.data.data) if block.dialect == DIALECT else None


_WRITERS: dict[type, Callable[..., Wire | Raw | None]] = {
    Text: _text,
    Image: _image,
    Document: _document,
    Thinking: _thinking,
    ToolCall: _tool_call,
    ToolResult: _tool_result,
    ToolReference: _tool_reference,
    ServerToolCall: _server_tool_call,
    ServerToolResult: _server_tool_result,
    Opaque: _opaque,
}
