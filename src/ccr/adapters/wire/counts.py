"""Numbers of tokens as providers say them."""

from __future__ import annotations

__all__ = ["count_of"]

_MOST = 10**12
"""More is no count: a thousand times what any provider sells in one reply."""


def count_of(value: object) -> int | None:
    """Return a count; a negative one is 0, and what cannot be one was not said."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not value < _MOST:
        return None
    return int(value) if value > 0 else 0
