"""Shapes of a caller's chat completions request (types of the official SDK 2.x, and what OpenRouter and others added).

Unknown fields are skipped; what nobody looks at stays ``Raw``. An absent ``Raw`` is empty.
"""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

__all__ = [
    "FILE",
    "MESSAGE",
    "PART",
    "PARTS",
    "STRING",
    "Raw",
    "WireAllowed",
    "WireCall",
    "WireCustom",
    "WireFile",
    "WireFormat",
    "WireFunction",
    "WireMessage",
    "WirePart",
    "WireReasoning",
    "WireThinking",
    "WireTool",
    "is_null",
    "opening",
]


class WireCache(Struct, gc=False):
    """``cache_control`` of a part (OpenRouter, DashScope)."""

    ttl: str | None = None


class WirePart(Struct, gc=False):
    """Any part of a content."""

    type: str = ""
    text: str = ""
    refusal: str | None = None
    image_url: Raw = Raw()
    file: Raw = Raw()
    thinking: object = None
    cache_control: WireCache | None = None


class WireFile(Struct, gc=False):
    """``file`` of a part: the bytes as a data URL, or a file that a provider keeps."""

    filename: str | None = None
    file_data: str | None = None
    file_id: str | None = None


class WireCalled(Struct, gc=False):
    """``function`` of a call; ``arguments`` is JSON text, of some clients the object itself."""

    name: str = ""
    arguments: object = None


class WireTyped(Struct, gc=False):
    """``custom`` of a call: a freeform tool and its text."""

    name: str = ""
    input: str = ""


class WireCall(Struct, gc=False):
    """One entry of ``tool_calls``."""

    id: str = ""
    function: WireCalled | None = None
    custom: WireTyped | None = None


class WireMessage(Struct, gc=False):
    """One message. Reasoning comes back in whichever field its client knows."""

    role: str = ""
    content: Raw = Raw()
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[WireCall] | None = None
    tool_call_id: str | None = None
    function_call: WireCalled | None = None
    reasoning_content: object = None
    reasoning: object = None
    reasoning_details: object = None


class WireFunction(Struct, gc=False):
    """``function`` of a tool, or an entry of the legacy ``functions``."""

    name: str = ""
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None


class WireCustom(Struct, gc=False):
    """``custom`` of a tool."""

    name: str = ""
    description: str | None = None
    format: Raw = Raw()


class WireTool(Struct, gc=False):
    """One entry of ``tools``."""

    type: str = ""
    name: str | None = None
    function: Raw = Raw()
    custom: Raw = Raw()
    cache_control: WireCache | None = None


class WireAllowed(Struct, gc=False):
    """``allowed_tools`` of a tool choice."""

    mode: str = "auto"
    tools: list[Raw] | None = None


class WireFormat(Struct, gc=False):
    """``response_format``, and inside it ``json_schema``."""

    type: str = ""
    json_schema: Raw = Raw()
    name: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class WireReasoning(Struct, gc=False):
    """OpenRouter's ``reasoning``; ``max_tokens`` is a budget."""

    effort: str | None = None
    max_tokens: int | None = None
    enabled: bool | None = None
    exclude: bool | None = None


class WireThinking(Struct, gc=False):
    """``thinking`` as DeepSeek, Zhipu, Volcengine and Moonshot have it."""

    type: str = ""
    budget_tokens: int | None = None


FILE = msgspec.json.Decoder(WireFile)
MESSAGE = msgspec.json.Decoder(WireMessage)
PART = msgspec.json.Decoder(WirePart)
PARTS = msgspec.json.Decoder(list[WirePart])
STRING = msgspec.json.Decoder(str)


def opening(raw: Raw) -> bytes:
    """Return the first byte of raw JSON, which tells its kind; nothing if it is absent."""
    return memoryview(raw)[:1].tobytes() if raw else b""


def is_null(raw: Raw | None) -> bool:
    """Whether there is nothing: absent, or ``null``."""
    return raw is None or bytes(raw) in (b"", b"null")
