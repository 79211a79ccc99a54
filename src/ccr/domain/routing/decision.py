"""Where a request goes, and why."""

from __future__ import annotations

from ccr.domain._value import value
from ccr.domain.models import ModelRef

__all__ = ["RouteDecision", "Verdict"]


@value
class Verdict:
    """What one rule said. ``because`` is a sentence without prompt text."""

    rule: str
    matched: bool
    because: str
    target: ModelRef | None = None


@value
class RouteDecision:
    """The target, the scenario it was chosen for, the verdict of every rule in order, and what to try next.

    ``scenario`` is a fixed word: explicit, custom, subagent, longContext, compaction, agent, background, webSearch, think,
    image, models, default. ``strip_tag``: the subagent tag is to be removed before the upstream sees the request.
    ``tokens`` is what counting gave, None = it was not needed. ``exact``: no target that loses a feature may answer.
    """

    target: ModelRef
    scenario: str
    verdicts: tuple[Verdict, ...]
    fallbacks: tuple[ModelRef, ...] = ()
    strip_tag: bool = False
    tokens: int | None = None
    exact: bool = False

    @property
    def reason(self) -> str:
        """The sentence of the rule that decided."""
        return next((v.because for v in reversed(self.verdicts) if v.matched), "")
