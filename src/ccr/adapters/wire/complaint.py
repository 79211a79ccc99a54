"""A caller's request that is not what it should be: one sentence and the JSON path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, TypeVar

import msgspec

from ccr.adapters.wire import json
from ccr.domain.errors import InvalidRequestError

__all__ = ["OUTPUT_LIMIT", "checked", "elements", "invalid", "opened", "prefixed"]

T = TypeVar("T")

OUTPUT_LIMIT: msgspec.json.Decoder[int | None] = msgspec.json.Decoder(
    Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None
)
"""A number of tokens. Zero is legal: Anthropic then fills the prompt cache and says nothing."""
RAWS = msgspec.json.Decoder(list[msgspec.Raw])

_WHERE = re.compile(r" - at `\$(.*)`$")


_PIECE = 2048
"""Bytes that are looked at at once."""


def invalid(path: str, problem: str) -> InvalidRequestError:
    """Return the error: ``messages[2].content: must be a string or a list of blocks``."""
    return InvalidRequestError(f"{path}: {problem}" if path else problem, param=path or None)


def checked(decoder: msgspec.json.Decoder[T], data: msgspec.Raw | bytes, path: str) -> T:
    """Decode a part of a request. Raises InvalidRequestError with the path of what is wrong."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        text = str(error)
        found = _WHERE.search(text)
        inner = found[1] if found else ""
        raise invalid((path + inner).removeprefix("."), _WHERE.sub("", text).replace("`", "")) from error
    except (ValueError, RecursionError) as error:
        raise invalid(
            path, "not valid JSON" if isinstance(error, ValueError) else "nested too deep"
        ) from error


def opened(body: bytes) -> Mapping[str, msgspec.Raw]:
    """Open a body at its top level. Raises InvalidRequestError if it is no JSON object in UTF-8."""
    wrong = _not_utf8(body)
    if wrong is not None:
        raise invalid("", f"the body is not valid UTF-8 (byte {wrong})")
    try:
        return json.top_level(body)
    except msgspec.ValidationError as error:
        raise invalid("", "the body must be a JSON object") from error
    except ValueError as error:
        problem = str(error).removeprefix("JSON is malformed: ")
        raise invalid("", f"the body is not valid JSON: {problem}") from error


def _not_utf8(body: bytes) -> int | None:
    """Return the place of the first byte that is no UTF-8, None if all are.

    What is ASCII is not decoded, and of a prompt with a dash here and there that is nearly all.
    """
    if body.isascii():
        return None
    start, size = 0, len(body)
    while start < size:
        end = start + _PIECE
        # A character may not be cut: its further bytes begin with the bits 10.
        while end < size and body[end] & 0xC0 == 0x80:
            end += 1
        piece = body[start:end]
        if not piece.isascii():
            try:
                piece.decode()
            except UnicodeDecodeError as error:
                return start + error.start
        start = end
    return None


def elements(data: msgspec.Raw | bytes, path: str) -> list[msgspec.Raw]:
    """Open a list without reading what is in it. Raises InvalidRequestError."""
    return checked(RAWS, data, path)


def prefixed(error: InvalidRequestError, path: str) -> InvalidRequestError:
    """Return the error as seen from further up: ``content[0].id`` becomes ``messages[3].content[0].id``."""
    inner = error.param or ""
    problem = error.message.removeprefix(f"{inner}: ") if inner else error.message
    dot = "." if inner and not inner.startswith("[") else ""
    return invalid(f"{path}{dot}{inner}", problem)
