"""Shapes of the Responses API as it stands on the wire (types of the official SDK, ``openai.types.responses``).

Unknown fields are skipped; what nobody looks at stays ``Raw``. An absent ``Raw`` is empty. One wide shape for all items is
decoded faster than a union, and knows no unknown type.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "EVENT",
    "ITEM",
    "NAME",
    "PARTS",
    "RAWS",
    "RESPONSE",
    "STRING",
    "Raw",
    "Wire",
    "WireEvent",
    "WireItem",
    "WirePart",
    "WireResponse",
    "absent",
    "opening",
]

NAME = "openai_responses"
"""The name of this dialect, in configuration and in everything that carries an origin."""

Wire = dict[str, object]
"""A JSON object; nested JSON text is ``Raw``."""


class WirePart(Struct, gc=False):
    """A content part of a message, of a tool's output or of reasoning."""

    type: str = ""
    text: str | None = None
    refusal: str | None = None
    annotations: Raw = Raw()
    image_url: str | None = None
    file_id: str | None = None
    file_data: str | None = None
    file_url: str | None = None
    filename: str | None = None


class WireItem(Struct, gc=False):
    """An item of ``input`` or ``output``. ``arguments`` and ``input`` are text, JSON text in a function call."""

    type: str | None = None
    role: str | None = None
    id: str | None = None
    content: Raw = Raw()
    call_id: str | None = None
    name: str | None = None
    namespace: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: Raw = Raw()
    summary: Raw = Raw()
    encrypted_content: str | None = None
    status: str | None = None
    action: Raw = Raw()


class WireResponse(Struct, gc=False):
    """A response, whole or inside an event."""

    id: str | None = None
    object: str | None = None
    model: str | None = None
    status: str | None = None
    error: Raw = Raw()
    incomplete_details: Raw = Raw()
    output: Raw = Raw()
    usage: Raw = Raw()


class WireEvent(Struct, gc=False):
    """Any event of a stream; what an event means is its ``type``."""

    type: str = ""
    delta: str = ""
    output_index: int = 0
    content_index: int = 0
    summary_index: int = 0
    text: str = ""
    refusal: str = ""
    arguments: str = ""
    input: str = ""
    part: Raw = Raw()
    annotation: Raw = Raw()
    item: Raw = Raw()
    response: Raw = Raw()
    error: Raw = Raw()
    code: object = None
    message: object = None


EVENT = msgspec.json.Decoder(WireEvent)
ITEM = msgspec.json.Decoder(WireItem)
PARTS = msgspec.json.Decoder(list[WirePart])
RAWS = msgspec.json.Decoder(list[Raw])
RESPONSE = msgspec.json.Decoder(WireResponse)
STRING = msgspec.json.Decoder(str)


def opening(raw: Raw) -> bytes:
    """Return the first byte of raw JSON, which tells its kind; nothing if it is absent."""
    return memoryview(raw)[:1].tobytes() if raw else b""


def absent(raw: Raw | None) -> bool:
    """Whether a field is not there, or null."""
    return not raw or bytes(raw) == b"null"
