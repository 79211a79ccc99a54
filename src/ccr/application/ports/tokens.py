"""Counting tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ccr.domain.value import value

__all__ = ["TokenCounter", "TokenRange"]


@value
class TokenRange:
    """Bounds, both inclusive, in tokens."""

    low: int
    high: int


class TokenCounter(Protocol):
    """Estimates for nothing, counts exactly when asked."""

    def estimate(self, size: int) -> TokenRange:
        """Bound the tokens of ``size`` bytes of UTF-8 text."""
        ...

    async def count_each(self, groups: Sequence[Sequence[bytes]]) -> list[int]:
        """Count groups of texts exactly; each text is one block, whose count is remembered. Never blocks the event loop for
        long.
        """
        ...
