"""Shapes of generateContent as they stand on the wire (types of the official SDK, ``google.genai.types``).

Unknown fields are skipped; what nobody looks at stays ``Raw``. An absent ``Raw`` is empty. Requests may spell their fields in
snake case too, as protobuf's JSON allows: :func:`fields` reads both.
"""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, invalid

__all__ = [
    "CHUNK",
    "CHUNKS",
    "NAME",
    "OPAQUE",
    "STRING",
    "Raw",
    "Wire",
    "WireCall",
    "WireCandidate",
    "WireChunk",
    "WireContent",
    "WirePart",
    "absent",
    "camel",
    "fields",
    "get",
    "opening",
]

NAME = "gemini"
"""The name of this dialect, in configuration and in everything that carries an origin."""

Wire = dict[str, object]
"""A JSON object; nested JSON text is ``Raw``."""

T = TypeVar("T")

OPAQUE = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse", "fileData")
"""Parts of a reply that the vocabulary has no word for."""


class WireCall(Struct, rename="camel", gc=False):
    """A call of a function. ``partial_args`` and ``will_continue``: its arguments come piece by piece (Vertex)."""

    id: str | None = None
    name: str | None = None
    args: Raw = Raw()
    partial_args: list[dict[str, object]] | None = None
    will_continue: bool | None = None


class WireBlob(Struct, rename="camel", gc=False):
    """Bytes in base64."""

    mime_type: str = ""
    data: str = ""


class WirePart(Struct, rename="camel", gc=False):
    """A part of a reply."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: WireCall | None = None
    inline_data: WireBlob | None = None
    executable_code: Raw = Raw()
    code_execution_result: Raw = Raw()
    tool_call: Raw = Raw()
    tool_response: Raw = Raw()
    file_data: Raw = Raw()


class WireContent(Struct, gc=False):
    """What somebody said."""

    parts: list[WirePart] | None = None


class WireCandidate(Struct, rename="camel", gc=False):
    """One of the answers; ``index`` 0 is the one that counts."""

    content: WireContent | None = None
    finish_reason: str | None = None
    finish_message: str | None = None
    grounding_metadata: Raw = Raw()
    index: int | None = None


class WireChunk(Struct, rename="camel", gc=False):
    """A whole reply, or a piece of one."""

    candidates: list[WireCandidate] | None = None
    prompt_feedback: Raw = Raw()
    usage_metadata: Raw = Raw()
    model_version: str | None = None
    response_id: str | None = None
    error: Raw = Raw()


CHUNK = msgspec.json.Decoder(WireChunk)
CHUNKS = msgspec.json.Decoder(list[WireChunk])
STRING = msgspec.json.Decoder(str)

_OBJECT = msgspec.json.Decoder(dict[str, Raw])
_SNAKE = re.compile(r"_([a-z0-9])")


def camel(name: str) -> str:
    """Return a field's name in camel case."""
    return _SNAKE.sub(lambda found: found[1].upper(), name) if "_" in name else name


def fields(raw: Raw | bytes, path: str) -> dict[str, Raw]:
    """Open an object of a request; its fields are in camel case, null ones left out. Raises InvalidRequestError."""
    if opening(raw) != b"{":
        raise invalid(path, "must be an object")
    found = checked(_OBJECT, raw, path)
    # Hardly ever is there anything to do: a snake, or a null, which has four letters.
    if any("_" in name or (len(value) == 4 and absent(value)) for name, value in found.items()):
        return {camel(name): value for name, value in found.items() if not absent(value)}
    return found


def get(top: dict[str, Raw], name: str, decoder: msgspec.json.Decoder[T], path: str = "") -> T | None:
    """Return a field, None if it is not there. Raises InvalidRequestError."""
    raw = top.get(name)
    return None if raw is None else checked(decoder, raw, f"{path}.{name}" if path else name)


def opening(raw: Raw | bytes) -> bytes:
    """Return the first byte of raw JSON, which tells its kind; nothing if it is absent."""
    return memoryview(raw)[:1].tobytes() if raw else b""


def absent(raw: Raw | None) -> bool:
    """Whether a field is not there, or null."""
    return not raw or bytes(raw) == b"null"


def object_of(raw: Raw) -> dict[str, object]:
    """Return an object as plain values; an empty one of anything else."""
    return dict(json.object_of(raw) or {})
