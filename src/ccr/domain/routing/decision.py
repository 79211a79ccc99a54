"""Where a request goes, and why."""

from __future__ import annotations

from ccr.domain.models import ModelRef
from ccr.domain.routing.balance import Group
from ccr.domain.value import value

__all__ = ["RouteDecision", "Verdict"]


@value
class Verdict:
    """What one rule said. ``because`` is a sentence without prompt text; ``route`` is the key of the route that matched,
    where the rule has several (``agents.explore``).
    """

    rule: str
    matched: bool
    because: str
    target: ModelRef | None = None
    route: str = ""


@value
class RouteDecision:
    """The target, the scenario it was chosen for, the verdict of every rule in order, and what to try next.

    ``scenario`` is a fixed word: explicit, custom, subagent, longContext, compaction, agent, background, webSearch, think,
    image, models, default. ``strip_tag``: the subagent tag is to be removed before the upstream sees the request.
    ``tokens`` is what counting gave, None = it was not needed. ``exact``: no target that loses a feature may answer.
    ``group``: the targets of the route, where it has several; ``target`` is then the first of them, until they are
    balanced. ``route``: its key in the configuration.
    """

    target: ModelRef
    scenario: str
    verdicts: tuple[Verdict, ...]
    fallbacks: tuple[ModelRef, ...] = ()
    strip_tag: bool = False
    tokens: int | None = None
    exact: bool = False
    group: Group | None = None
    route: str = ""

    @property
    def reason(self) -> str:
        """The sentence of the rule that decided."""
        return next((v.because for v in reversed(self.verdicts) if v.matched), "")
