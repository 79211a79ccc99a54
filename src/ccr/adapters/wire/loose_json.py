"""Tool arguments that are nearly JSON, as models write them (P1, P7): what is certain is mended, nothing is guessed.

A text that was cut off stays broken: half a command must never run.
"""

from __future__ import annotations

import re

from ccr.adapters.wire import json

__all__ = ["object_text", "repair_object"]

_FENCE = re.compile(r"\A\s*```[a-zA-Z0-9]*\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|(,\s*(?=[}\]]))|\b(?:True|False|None)\b|[^"]', re.DOTALL)
_WORDS = {"True": "true", "False": "false", "None": "null"}
_CONTROL = re.compile(r"[\x00-\x1f]")
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def object_text(text: str) -> bytes | None:
    """Return the text as UTF-8 if it is one JSON object (blank text is an empty one), else None."""
    data = _utf8(text).strip()
    if not data:
        return b"{}"
    return data if json.is_object(data) else None


def repair_object(text: str) -> bytes | None:
    """Return the text as a JSON object, mended if need be; None if it cannot be read with certainty.

    Mended are: a code fence around it, an object inside a JSON string, the same object twice in a row or an empty one
    before it, trailing commas, Python's True, False and None, raw line ends inside strings.
    """
    strict = object_text(text)
    if strict is not None:
        return strict
    fenced = _FENCE.match(text)
    candidate = (fenced[1] if fenced else text).strip()
    for attempt in (candidate, _TOKEN.sub(_mended, candidate)):
        data = _unwrapped(_utf8(attempt))
        if data is not None:
            return data
    return None


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _mended(token: re.Match[str]) -> str:
    text = token[0]
    if text.startswith('"'):
        return _CONTROL.sub(lambda char: _ESCAPES.get(char[0], f"\\u{ord(char[0]):04x}"), text)
    if token[1]:
        return ""
    return _WORDS.get(text, text)


def _unwrapped(data: bytes) -> bytes | None:
    try:
        value = json.decode(data)
    except ValueError:
        return _last_of_many(data)
    if isinstance(value, dict):
        return data
    if isinstance(value, str) and value.strip():
        return object_text(value)
    return None


def _last_of_many(data: bytes) -> bytes | None:
    """``{}{"a":1}`` and ``{"a":1}{"a":1}``: providers that send the whole object again at the end."""
    found = {
        (head, tail)
        for at in (index.start() for index in re.finditer(rb"\}\s*\{", data))
        if json.is_object(head := data[: at + 1].strip()) and json.is_object(tail := data[at + 1 :].strip())
    }
    for head, tail in found:
        if json.decode(head) in ({}, json.decode(tail)):
            return tail
    return None
