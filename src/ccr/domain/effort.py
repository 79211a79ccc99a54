"""How hard to think, in levels and in tokens, clamped to what a model knows (providers.md 4.4)."""

from __future__ import annotations

from collections.abc import Sequence

from ccr.domain.conversation.conversation import Effort

__all__ = ["budget_of", "clamp", "effort_of"]

_BUDGETS = (
    (1024, Effort.LOW),
    (4096, Effort.MEDIUM),
    (16384, Effort.HIGH),
)
_TOKENS = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 1024,
    Effort.MEDIUM: 2048,
    Effort.HIGH: 4096,
    Effort.XHIGH: 8192,
    Effort.MAX: 16384,
}


def clamp(effort: Effort, known: Sequence[Effort]) -> Effort | None:
    """Return the lowest known level that is at least ``effort``, else the highest known; None if none is known."""
    if not known:
        return None
    enough = [level for level in known if level.rank >= effort.rank]
    return min(enough, key=_rank) if enough else max(known, key=_rank)


def effort_of(budget: int) -> Effort:
    """Return the level that a budget of thinking tokens stands for."""
    return next((effort for limit, effort in _BUDGETS if budget <= limit), Effort.XHIGH)


def budget_of(effort: Effort) -> int:
    """Return the thinking tokens that a level stands for."""
    return _TOKENS[effort]


def _rank(effort: Effort) -> int:
    return effort.rank
