"""A JSON object out of text that is nearly one, and what was done to it.

Goes further than :mod:`ccr.adapters.wire.loose_json` (single quotes, bare names, missing brackets at the end) and says so,
for those who asked for it. Nothing is guessed: a text that ends inside a string, a name or a number stays as it is.
"""

from __future__ import annotations

import re

from ccr.adapters.wire import json
from ccr.adapters.wire.loose_json import repair_object
from ccr.domain.repair import Fix

__all__ = ["read_object"]

_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<mark>[{}\[\]:,])|(?P<word>[^\s{}\[\]:,"']+)""",
    re.DOTALL,
)
_CLOSES = {"{": "}", "[": "]"}
_WORDS = {"True": "true", "False": "false", "None": "null", "true": "true", "false": "false", "null": "null"}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")
_NAME = re.compile(r"[A-Za-z_$][\w$-]*")
_SINGLE = re.compile(r"\\.|\"", re.DOTALL)
_CONTROL = re.compile(r"[\x00-\x1f]")


def read_object(text: str) -> tuple[dict[str, object], tuple[Fix, ...]] | None:
    """Return the object and what had to be done to read it; None if it cannot be read with certainty."""
    try:
        found = json.decode(text.encode("utf-8", "replace"))
    except ValueError:
        found = None
    if isinstance(found, dict):
        return found, ()
    data = repair_object(text)
    if data is not None:
        return _object(data, Fix.UNWRAPPED if isinstance(found, str) else Fix.SYNTAX)
    written = _Reader().read(text)
    return None if written is None else _object(written[0].encode("utf-8", "replace"), *written[1])


def _object(data: bytes, *fixes: Fix) -> tuple[dict[str, object], tuple[Fix, ...]] | None:
    try:
        found = json.decode(data)
    except ValueError:
        return None
    return (found, fixes) if isinstance(found, dict) else None


class _Reader:
    """Reads token by token and writes JSON."""

    def __init__(self) -> None:
        self._out: list[str] = []
        self._open: list[str] = []
        self._last = ""
        """The last token that was no white space."""

    def read(self, text: str) -> tuple[str, tuple[Fix, ...]] | None:
        at = 0
        while at < len(text):
            token = _TOKEN.match(text, at)
            if token is None or not self._take(token, text):
                return None
            at = token.end()
        fixes = [Fix.SYNTAX] if "".join(self._out) != text else []
        if self._open:
            # After a comma, a colon or an opening bracket more was to come; a number may go on.
            if self._last in (",", ":", *_CLOSES) or _NUMBER.fullmatch(self._last):
                return None
            self._out.extend(_CLOSES[mark] for mark in reversed(self._open))
            fixes.append(Fix.BRACKETS)
        return "".join(self._out), tuple(fixes)

    def _take(self, token: re.Match[str], text: str) -> bool:
        """Write one token; False = it has no place in JSON."""
        found, kind = token[0], token.lastgroup
        if kind == "space":
            self._out.append(found)
            return True
        written: str | None = found
        if kind == "text":
            written = _quoted(found)
        elif kind == "word":
            written = _word(found, is_name=text[token.end() :].lstrip()[:1] == ":")
        elif not self._bracket(found):
            return False
        if written is None:
            return False
        self._out.append(written)
        self._last = found
        return True

    def _bracket(self, mark: str) -> bool:
        if mark in _CLOSES:
            self._open.append(mark)
        elif mark in "}]":
            if not self._open or _CLOSES[self._open.pop()] != mark:
                return False
            if self._last == ",":
                self._drop_comma()
        return True

    def _drop_comma(self) -> None:
        at = len(self._out) - 1 - self._out[::-1].index(",")
        del self._out[at]


def _quoted(text: str) -> str:
    if text[0] == "'":
        inner = _SINGLE.sub(lambda found: {"\\'": "'", '"': '\\"'}.get(found[0], found[0]), text[1:-1])
        text = f'"{inner}"'
    return _CONTROL.sub(lambda char: f"\\u{ord(char[0]):04x}", text)


def _word(word: str, *, is_name: bool) -> str | None:
    if is_name:
        return f'"{word}"' if _NAME.fullmatch(word) else None
    return word if _NUMBER.fullmatch(word) else _WORDS.get(word)
