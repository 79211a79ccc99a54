"""The same body with another ``model``: nothing else changes by a byte.

The text of every top-level value is known from one decode, so the walk over the keys skips each value by comparing
instead of reading it. Where a key occurs twice that does not hold, and the values are walked by their brackets.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ccr.adapters.wire import json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from msgspec import Raw

__all__ = ["retarget"]

_START = re.compile(rb"[ \t\n\r]*\{")
_KEY = re.compile(rb'[ \t\n\r]*("(?:[^"\\]|\\.)*")[ \t\n\r]*:[ \t\n\r]*', re.DOTALL)
_AFTER = re.compile(rb"[ \t\n\r]*([,}])")
_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]|[^"\[\]{},\s]+', re.DOTALL)
_DEPTH = {b"[": 1, b"{": 1, b"]": -1, b"}": -1}


def retarget(body: bytes, fields: Mapping[str, Raw], model: str) -> bytes:
    """Return ``body``, whose top-level fields are ``fields``, with ``model`` in place of every top-level model."""
    value = json.encode_wire(model)
    place = _compact_place(body, fields)
    if place is not None:
        return b"".join((body[: place[0]], value, body[place[1] :]))
    pieces: list[bytes] = []
    copied = 0
    for start, end in _spans(body, fields):
        pieces += (body[copied:start], value)
        copied = end
    pieces.append(body[copied:])
    return b"".join(pieces)


def _compact_place(body: bytes, fields: Mapping[str, Raw]) -> tuple[int, int] | None:
    """Return where the value of ``model`` lies in a body without a blank, an escape or a repetition in its top level.

    Each of those would make the body longer than what its fields come to, so that equal lengths prove that there is none.
    """
    at, place = 1, None
    for name, raw in fields.items():
        at += len(name) + 3  # quotes and colon
        end = at + memoryview(raw).nbytes
        if name == "model":
            place = at, end
        at = end + 1
    return place if at == len(body) else None


def _spans(body: bytes, fields: Mapping[str, Raw]) -> list[tuple[int, int]]:
    """Return where the values of ``model`` lie. ``body`` is known to be a JSON object."""
    spans: list[tuple[int, int]] = []
    found = _START.match(body)
    at = found.end() if found else len(body)
    while (key := _KEY.match(body, at)) is not None:
        name = json.decode(key[1])
        end = _end(body, key.end(), fields[str(name)])
        if name == "model":
            spans.append((key.end(), end))
        after = _AFTER.match(body, end)
        if after is None or after[1] == b"}":
            break
        at = after.end()
    return spans


def _end(body: bytes, start: int, raw: Raw) -> int:
    text = bytes(raw)
    end = start + len(text)
    if body.startswith(text, start) and _AFTER.match(body, end):
        return end
    at, depth = start, 0
    while True:
        token = _TOKEN.search(body, at)
        assert token is not None, "the body is known to be JSON"
        at = token.end()
        depth += _DEPTH.get(token[0], 0)
        if depth == 0:
            return at
