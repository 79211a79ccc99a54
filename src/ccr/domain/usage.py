"""Tokens of one reply, counted once. None is not 0: it means that nobody said."""

from __future__ import annotations

from enum import Enum
from operator import attrgetter

from ccr.domain.value import evolve, value

__all__ = ["NO_USAGE", "Basis", "Usage"]


class Basis(Enum):
    """How sure we are: the provider said it, we estimated it, or it is the least it can have been."""

    REPORTED = "reported"
    ESTIMATED = "estimated"
    FLOOR = "floor"


_COUNTS = (
    "input_uncached",
    "cache_read",
    "cache_write_5m",
    "cache_write_1h",
    "output",
    "reasoning",
    "searches",
    "provider_cost",
)

_READ = attrgetter(*_COUNTS)
_NOTHING = (None,) * len(_COUNTS)


@value
class Usage:
    """Tokens (``searches``: requests; ``provider_cost``: US dollars as the provider said them).

    ``input_uncached``, ``cache_read`` and the two ``cache_write`` are disjoint; their sum is the input. ``reasoning`` is
    part of ``output``.
    """

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write_5m: int | None = None
    cache_write_1h: int | None = None
    output: int | None = None
    reasoning: int | None = None
    searches: int | None = None
    provider_cost: float | None = None
    basis: Basis = Basis.REPORTED

    @property
    def input_total(self) -> int | None:
        """All input tokens, cached or not; None if no part is known."""
        parts = (self.input_uncached, self.cache_read, self.cache_write_5m, self.cache_write_1h)
        known = [part for part in parts if part is not None]
        return sum(known) if known else None

    def merged(self, later: Usage) -> Usage:
        """What a later report *of the same reply* makes of this one: what it says replaces, never adds up."""
        if later is NO_USAGE or later is self:
            return self
        said = _READ(later)
        if self is NO_USAGE and said != _NOTHING:
            return later
        changes = {name: got for name, got in zip(_COUNTS, said, strict=True) if got is not None}
        return evolve(self, **changes, basis=later.basis) if changes else self

    def plus(self, other: Usage) -> Usage:
        """The sum over *several* replies (attempts, search rounds, side calls)."""
        if other is NO_USAGE:
            return self
        sums = {}
        for name in _COUNTS:
            mine, theirs = getattr(self, name), getattr(other, name)
            sums[name] = mine if theirs is None else theirs if mine is None else mine + theirs
        weakest = max(self.basis, other.basis, key=list(Basis).index)
        return evolve(self, **sums, basis=weakest)


NO_USAGE = Usage()
