"""Content blocks from the wire: of requests, replies and block starts alike. Pure and context-free."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ccr.adapters.dialects.anthropic.seals import FOREIGN, REDACTED, SIGNATURE, read_seal
from ccr.adapters.dialects.anthropic.wire import (
    BLOCK,
    BLOCKS,
    DIALECT,
    RAWS,
    STRING,
    Raw,
    WireBlock,
    WireCache,
    WireSource,
    opening,
)
from ccr.adapters.wire import json, web_results
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.adapters.wire.envelope import unwrap
from ccr.domain.conversation import (
    CacheMark,
    Citation,
    Document,
    FileRef,
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
from ccr.domain.errors import InvalidRequestError
from ccr.domain.value import evolve
from ccr.domain.verbatim import EMPTY_OBJECT, Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import ContentBlock, ResultPart, Source

__all__ = ["cache_of", "is_text", "read_block", "read_blocks", "read_citation"]

_SOURCE = msgspec.json.Decoder(WireSource)
_KIND = {
    "char_location": "char",
    "page_location": "page",
    "content_block_location": "block",
    "web_search_result_location": "url",
    "search_result_location": "search_result",
}
_PARTS = (Text, Image, Document, ToolReference, Opaque)


def is_text(raw: Raw) -> bool:
    """Whether raw JSON is a string."""
    return opening(raw) == b'"'


def read_blocks(raw: Raw, path: str) -> tuple[ContentBlock, ...]:
    """Read a ``content``: a string is one text. Raises InvalidRequestError with the path of what is wrong."""
    first = opening(raw)
    if first == b'"':
        return (Text(checked(STRING, raw, path)),)
    if first != b"[":
        raise invalid(path, "must be a string or a list of content blocks")
    try:
        wires = BLOCKS.decode(raw)
    except ValueError:
        # Perhaps a block of a type that we do not know has another shape: that is its own affair.
        return tuple(read_block(one, f"{path}[{index}]") for index, one in enumerate(elements(raw, path)))
    raws: list[Raw] | None = None
    blocks: list[ContentBlock] = []
    for index, wire in enumerate(wires):
        reader = _READERS.get(wire.type)
        block = None if reader is None else reader(wire, f"{path}[{index}]")
        if block is None:
            raws = raws or RAWS.decode(raw)
            block = _rare(wire, raws[index], f"{path}[{index}]")
        blocks.append(block)
    return tuple(blocks)


def read_block(raw: Raw, path: str) -> ContentBlock:
    """Read one block. Raises InvalidRequestError."""
    fields = json.object_of(raw)
    if fields is None:
        raise invalid(path, "must be an object")
    kind = fields.get("type")
    if not isinstance(kind, str) or not kind:
        raise invalid(f"{path}.type", "must name the type of the block")
    reader = _READERS.get(kind)
    if reader is not None:
        block = reader(checked(BLOCK, raw, path), path)
        return Opaque(DIALECT, kind, json.json_of(raw)) if block is None else block
    try:
        wire = BLOCK.decode(raw)
    except ValueError:
        return Opaque(DIALECT, kind, json.json_of(raw))
    return _rare(wire, raw, path)


def _rare(wire: WireBlock, raw: Raw, path: str) -> ContentBlock:
    if wire.type.endswith("_tool_result") and wire.tool_use_id and wire.content:
        content, maker = json.json_of(wire.content), DIALECT
        if wire.type == web_results.KIND and FOREIGN in content.data:
            content, maker = _unsealed_results(content)
        return ServerToolResult(wire.tool_use_id, wire.type, content, maker, cache_of(wire.cache_control))
    if not wire.type:
        raise invalid(f"{path}.type", "must name the type of the block")
    return Opaque(DIALECT, wire.type, json.json_of(raw))


def _unsealed_results(content: Json) -> tuple[Json, str]:
    """Return results as they were before they were given to the client, and whose they are."""
    maker = DIALECT
    results = []
    for one in web_results.results_of(content):
        text = one.get("encrypted_content")
        seal = unwrap(text) if isinstance(text, str) else None
        if seal is not None:
            maker = seal.origin.dialect
        results.append(one if seal is None else {**one, "encrypted_content": seal.data})
    return (content, maker) if maker == DIALECT else (Json(json.encode_wire(results)), maker)


# --------------------------------------------------------------------- a type at a time; None = kept as it is


def _text(wire: WireBlock, path: str) -> Text:
    citations: tuple[Citation, ...] = ()
    if wire.citations and opening(wire.citations) == b"[":
        raws = elements(wire.citations, f"{path}.citations")
        citations = tuple(read_citation(raw) for raw in raws)
    return Text(wire.text, cache_of(wire.cache_control), citations)


def _image(wire: WireBlock, path: str) -> Image | None:
    source = _source(wire, path)
    return None if source is None else Image(source, cache_of(wire.cache_control))


def _document(wire: WireBlock, path: str) -> Document | None:
    source = _source(wire, path)
    if source is None:
        return None
    wanted = json.object_of(wire.citations) or {}
    cache = cache_of(wire.cache_control)
    return Document(source, wire.title, wire.context, wanted.get("enabled") is True, cache)


def _thinking(wire: WireBlock, _path: str) -> Thinking:
    return Thinking(wire.thinking, read_seal(SIGNATURE, wire.signature) if wire.signature else None)


def _redacted(wire: WireBlock, _path: str) -> Thinking:
    return Thinking("", read_seal(REDACTED, wire.data))


def _tool_use(wire: WireBlock, path: str) -> ToolCall:
    return ToolCall(*_call(wire, path), cache=cache_of(wire.cache_control))


def _server_tool_use(wire: WireBlock, path: str) -> ServerToolCall:
    return ServerToolCall(*_call(wire, path), cache=cache_of(wire.cache_control))


def _call(wire: WireBlock, path: str) -> tuple[str, str, Json]:
    if not wire.id:
        raise invalid(f"{path}.id", "a tool call needs an id")
    if not wire.name:
        raise invalid(f"{path}.name", "a tool call needs a name")
    given = bytes(wire.input)
    if given in (b"", b"null", b"{}"):
        return wire.id, wire.name, EMPTY_OBJECT
    if not given.startswith(b"{"):
        raise invalid(f"{path}.input", "must be an object")
    return wire.id, wire.name, Json(given)


def _tool_result(wire: WireBlock, path: str) -> ToolResult:
    if not wire.tool_use_id:
        raise invalid(f"{path}.tool_use_id", "a tool result needs the id of its call")
    content: tuple[ResultPart, ...] = ()
    plain = is_text(wire.content)
    if wire.content and bytes(wire.content) != b"null":
        blocks = read_blocks(wire.content, f"{path}.content")
        raws = [] if plain else RAWS.decode(wire.content)
        content = tuple(_part(block, raws, index) for index, block in enumerate(blocks))
    cache = cache_of(wire.cache_control)
    return ToolResult(wire.tool_use_id, content, wire.is_error is True, cache, plain)


def _part(block: ContentBlock, raws: list[Raw], index: int) -> ResultPart:
    if isinstance(block, _PARTS):
        return block
    raw = raws[index]
    return Opaque(DIALECT, BLOCK.decode(raw).type, json.json_of(raw))


def _tool_reference(wire: WireBlock, path: str) -> ToolReference:
    if not wire.tool_name:
        raise invalid(f"{path}.tool_name", "a tool reference needs the name of a tool")
    return ToolReference(wire.tool_name)


_READERS: dict[str, Callable[[WireBlock, str], ContentBlock | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "tool_reference": _tool_reference,
    "server_tool_use": _server_tool_use,
}


def _source(wire: WireBlock, path: str) -> Source | None:
    if not wire.source:
        raise invalid(f"{path}.source", "must say where the content is")
    try:
        source = checked(_SOURCE, wire.source, f"{path}.source")
    except InvalidRequestError:
        if (json.object_of(wire.source) or {}).get("type") in _SOURCES:
            raise
        return None
    made = _SOURCES.get(source.type)
    return None if made is None else made(source)


_SOURCES: dict[str, Callable[[WireSource], Source]] = {
    "base64": lambda source: Inline(source.media_type, source.data),
    "text": lambda source: Inline(source.media_type or "text/plain", source.data, "text"),
    "url": lambda source: Url(source.url),
    "file": lambda source: FileRef(source.file_id),
}


def cache_of(wire: WireCache | None) -> CacheMark | None:
    """Return the mark of a ``cache_control``."""
    return None if wire is None else CacheMark(wire.ttl, wire.scope)


def read_citation(raw: Raw | bytes) -> Citation:
    """Read a citation; it is kept whole beside what is understood of it."""
    fields = json.object_of(raw) or {}
    rest = Citation(_KIND.get(str(fields.get("type")), str(fields.get("type", ""))), dialect=DIALECT)
    start = next((fields[name] for name in _STARTS if isinstance(fields.get(name), int)), None)
    end = next((fields[name] for name in _ENDS if isinstance(fields.get(name), int)), None)
    return evolve(
        rest,
        cited_text=_string(fields.get("cited_text")),
        url=_string(fields.get("url") or fields.get("source")),
        title=_string(fields.get("title") or fields.get("document_title")),
        start=start if isinstance(start, int) else None,
        end=end if isinstance(end, int) else None,
        rest=json.json_of(raw),
    )


_STARTS = ("start_char_index", "start_page_number", "start_block_index")
_ENDS = ("end_char_index", "end_page_number", "end_block_index")


def _string(value: object) -> str:
    return value if isinstance(value, str) else ""
