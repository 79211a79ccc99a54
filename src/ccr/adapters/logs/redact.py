"""Takes secrets out of whatever is about to be written: known ones by their text, unknown ones by their look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

__all__ = ["MASK", "Redactor"]

MASK = "***"

_SHORTEST = 8
"""Characters; a shorter known secret would blot out ordinary words."""

_REMEMBERED, _SHORT = 2048, 128
"""Texts that are remembered, and characters of each at most: names of models, sessions, reasons. To search one for what looks
like a key costs microseconds, and a line has ten of them."""

_DEEPEST = 8
"""Levels of nesting that are looked at; what lies deeper is not written at all."""

_LOOKS = re.compile(
    r"""
    \b(?:sk|pk|rk|xai|gsk|ghp|gho|glpat|hf|nvapi|r8)[-_][A-Za-z0-9_\-]{12,}   # keys with a maker's prefix
    | \bAIza[A-Za-z0-9_\-]{20,}                                               # Google
    | \b(?:AKIA|ASIA)[A-Z0-9]{12,}                                            # AWS
    | \beyJ[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]{10,}\.[A-Za-z0-9_\-]*          # JWT
    | (?i:\b(?:x-api-key|api[-_]?key|(?:proxy-)?authorization|x-goog-api-key)["']?\s*[:=]\s*["']?)
      (?i:(?:bearer|basic)\s+)?[^\s"',;]{6,}
    | (?i:\b(?:bearer|basic)\s+)[A-Za-z0-9+/=_\-.~]{8,}
    | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)                                         # a password in a URL
    """,
    re.VERBOSE,
)


_SECRET_NAMES = frozenset(
    {
        "authorization",
        "proxy-authorization",
        "x-api-key",
        "x-goog-api-key",
        "api-key",
        "apikey",
        "cookie",
        "set-cookie",
    }
)
"""Whatever stands under these names is masked, however it looks. Compared in lower case, ``_`` as ``-``."""


class Redactor:
    """A structlog processor; ``know`` teaches it secrets."""

    def __init__(self) -> None:
        self._known: re.Pattern[str] | None = None
        self._remembered = lru_cache(_REMEMBERED)(self._clean)

    def know(self, secrets: Iterable[str]) -> None:
        """Mask exactly these from now on, besides whatever looks like a key."""
        long = {text for text in secrets if len(text) >= _SHORTEST}
        # As they stand in a URL, too.
        texts = sorted(long | {quote(text, safe="") for text in long}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, texts))) if texts else None
        self._remembered.cache_clear()

    def text(self, text: str) -> str:
        """Return the text without secrets, and fit for UTF-8: half a surrogate pair becomes an escape."""
        return self._remembered(text) if len(text) <= _SHORT else self._clean(text)

    def _clean(self, text: str) -> str:
        if not text.isascii():
            text = text.encode("utf-8", "backslashreplace").decode()
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return _LOOKS.sub(MASK, text)

    def value(self, value: object, depth: int = 0) -> object:
        """Return the value without secrets, nested ones included."""
        if isinstance(value, str):
            return self.text(value)
        if value is None or isinstance(value, (bool, int, float)):
            return value
        if depth > _DEEPEST:
            return MASK
        if isinstance(value, Mapping):
            return {
                self.text(str(key)): self._under(str(key), inner, depth + 1) for key, inner in value.items()
            }
        if isinstance(value, (list, tuple, set, frozenset)):
            return [self.value(inner, depth + 1) for inner in value]
        return self.text(str(value))

    def __call__(
        self, _logger: object, _name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Redact a whole line."""
        return {key: self._under(key, inner, 0) for key, inner in event.items()}

    def _under(self, name: str, value: object, depth: int) -> object:
        if value and name.lower().replace("_", "-") in _SECRET_NAMES:
            return MASK
        return self.value(value, depth)
