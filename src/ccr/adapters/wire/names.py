"""Tool names that a provider accepts: letters, digits, ``_`` and ``-``, at most 64 of them (OpenAI; P15).

:func:`short_name` is a pure function of the name alone, so a turn can be written without knowing the others, and the
same tool has the same name in every request, which keeps prefix caches. :func:`long_names` finds the way back from the
tools that the request itself declares.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["LIMIT", "long_names", "short_name"]

LIMIT = 64

_LEGAL = re.compile(r"[a-zA-Z0-9_-]+")
_ILLEGAL = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST = 8


def short_name(name: str, limit: int = LIMIT) -> str:
    """Return a legal name; a legal one comes back as it is, any other ends in a digest of the whole."""
    if 0 < len(name) <= limit and _LEGAL.fullmatch(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
    return f"{_ILLEGAL.sub('_', name)[: limit - _DIGEST - 1]}_{digest}"


def long_names(names: Iterable[str], limit: int = LIMIT) -> dict[str, str]:
    """Return, for the names that had to be changed only, what each short name stands for."""
    return {short: name for name in names if (short := short_name(name, limit)) != name}
