"""Shapes of the Messages API as it stands on the wire (claude-code-client.md 3 and 4).

Unknown fields are skipped; what nobody looks at stays ``Raw``. An absent ``Raw`` is empty.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "BILLING",
    "BLOCK",
    "BLOCKS",
    "DIALECT",
    "MESSAGE",
    "RAWS",
    "STRING",
    "Raw",
    "WireBlock",
    "WireCache",
    "WireFormat",
    "WireMessage",
    "WireMetadata",
    "WireOutputConfig",
    "WireSearch",
    "WireSource",
    "WireThinking",
    "WireTool",
    "WireToolChoice",
    "opening",
]

DIALECT = "anthropic"

BILLING = "x-anthropic-billing-header:"
"""How the system block begins that api.anthropic.com strips by its position (claude-code-contract.md)."""


class WireCache(Struct, gc=False):
    """``cache_control``."""

    type: str = "ephemeral"
    ttl: str | None = None
    scope: str | None = None


class WireSource(Struct, gc=False):
    """Where an image or document is."""

    type: str = ""
    media_type: str = ""
    data: str = ""
    url: str = ""
    file_id: str = ""


class WireBlock(Struct, gc=False):
    """Any content block: one wide shape is decoded faster than a union, and knows no unknown type."""

    type: str = ""
    text: str = ""
    id: str = ""
    name: str = ""
    input: Raw = Raw()
    tool_use_id: str = ""
    tool_name: str = ""
    content: Raw = Raw()
    is_error: bool | None = None
    thinking: str = ""
    signature: str | None = ""
    data: str = ""
    source: Raw = Raw()
    title: str | None = None
    context: str | None = None
    citations: Raw = Raw()
    cache_control: WireCache | None = None


class WireMessage(Struct, gc=False):
    """One message; its content is a string or a list of blocks."""

    role: str = ""
    content: Raw = Raw()


class WireTool(Struct, gc=False):
    """One entry of ``tools``; ``type`` is absent or ``custom`` for the caller's own."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: Raw = Raw()
    strict: bool | None = None
    defer_loading: bool | None = None
    eager_input_streaming: bool | None = None
    cache_control: WireCache | None = None


class WireSearch(Struct, gc=False):
    """An entry of ``tools`` that is web search (``web_search_20250305``)."""

    max_uses: int | None = None
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    user_location: Raw = Raw()


class WireToolChoice(Struct, gc=False):
    """``tool_choice``."""

    type: str = ""
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


class WireThinking(Struct, gc=False):
    """``thinking``."""

    type: str = ""
    budget_tokens: int | None = None
    display: str | None = None


class WireFormat(Struct, gc=False):
    """``output_config.format``."""

    type: str = ""
    schema: Raw = Raw()
    name: str | None = None


class WireOutputConfig(Struct, gc=False):
    """``output_config``."""

    effort: str | None = None
    format: WireFormat | None = None


class WireMetadata(Struct, gc=False):
    """``metadata``."""

    user_id: str | None = None


BLOCK = msgspec.json.Decoder(WireBlock)
BLOCKS = msgspec.json.Decoder(list[WireBlock])
MESSAGE = msgspec.json.Decoder(WireMessage)
RAWS = msgspec.json.Decoder(list[Raw])
STRING = msgspec.json.Decoder(str)


def opening(raw: Raw) -> bytes:
    """Return the first byte of raw JSON, which tells its kind; nothing if it is absent."""
    return memoryview(raw)[:1].tobytes() if raw else b""
