"""What a turn is made of: a closed union of content blocks."""

from __future__ import annotations

from typing import TypeAlias

from ccr.domain.conversation.citations import Citation
from ccr.domain.conversation.media import Source
from ccr.domain.provenance import Seal
from ccr.domain.value import value
from ccr.domain.verbatim import EMPTY_OBJECT, Json

__all__ = [
    "CacheMark",
    "ContentBlock",
    "Document",
    "Image",
    "Opaque",
    "ResultPart",
    "ServerToolCall",
    "ServerToolResult",
    "Text",
    "Thinking",
    "ToolCall",
    "ToolReference",
    "ToolResult",
]


@value
class CacheMark:
    """The prefix up to and including this block is worth caching; ``ttl`` such as ``5m`` or ``1h``, None = default.

    ``scope``: who may share it (``global``), None = not said.
    """

    ttl: str | None = None
    scope: str | None = None


@value
class Text:
    """Plain text."""

    text: str
    cache: CacheMark | None = None
    citations: tuple[Citation, ...] = ()


@value
class Image:
    """A picture."""

    source: Source
    cache: CacheMark | None = None


@value
class Document:
    """A document (PDF, plain text, ...). ``citations`` = the caller wants them."""

    source: Source
    title: str | None = None
    context: str | None = None
    citations: bool = False
    cache: CacheMark | None = None


@value
class Thinking:
    """Reasoning in the open; with a seal and no text it is redacted thinking."""

    text: str
    seal: Seal | None = None


@value
class ToolCall:
    """The model wants a tool run. ``input`` is a JSON object as text, or free text for a freeform tool.

    In a stream its seal is known at its BlockStart.
    """

    id: str
    name: str
    input: Json | str = EMPTY_OBJECT
    cache: CacheMark | None = None
    seal: Seal | None = None


@value
class ToolReference:
    """A deferred tool became known (inside a tool result)."""

    name: str


@value
class ServerToolCall:
    """The provider itself runs a tool (web search, code execution)."""

    id: str
    name: str
    input: Json | str = EMPTY_OBJECT
    cache: CacheMark | None = None


@value
class ServerToolResult:
    """What a provider's own tool gave; ``kind`` is the wire type, ``content`` is carried as JSON.

    Of kind ``web_search_tool_result`` it is the same in every dialect: a list of ``{type: web_search_result, url, title,
    page_age, encrypted_content}``, or ``{type: web_search_tool_result_error, error_code}``. ``dialect`` says whose
    ``encrypted_content`` it is (``dialect@provider``: of a provider that merely speaks it); empty = ours, plain text.
    """

    call_id: str
    kind: str
    content: Json
    dialect: str = ""
    cache: CacheMark | None = None


@value
class Opaque:
    """A block that the vocabulary has no word for: the whole block as its dialect wrote it."""

    dialect: str
    kind: str
    data: Json


ResultPart: TypeAlias = Text | Image | Document | ToolReference | Opaque


@value
class ToolResult:
    """What a tool gave. ``plain`` = the caller wrote the content as one string."""

    call_id: str
    content: tuple[ResultPart, ...] = ()
    is_error: bool = False
    cache: CacheMark | None = None
    plain: bool = False


ContentBlock: TypeAlias = (
    Text
    | Image
    | Document
    | Thinking
    | ToolCall
    | ToolResult
    | ToolReference
    | ServerToolCall
    | ServerToolResult
    | Opaque
)
