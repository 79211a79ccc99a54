"""How to think, as Gemini is told (providers.md 4.2 and 4.4): a level or a budget, never both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.wire import Wire
from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.effort import budget_of, clamp, effort_of
from ccr.domain.models import ReasoningStyle

if TYPE_CHECKING:
    from ccr.domain.conversation import Reasoning
    from ccr.domain.models import ModelProfile

__all__ = ["thinking_config"]

_AUTOMATIC = -1
"""``thinkingBudget`` of a model that decides by itself."""


def thinking_config(reasoning: Reasoning, profile: ModelProfile, max_tokens: int | None) -> Wire:
    """Return the ``thinkingConfig``; empty if nothing is to be said. ``max_tokens`` include the thoughts."""
    if profile.reasoning not in _STYLES:
        return {}
    if reasoning.mode is ReasoningMode.UNSET and reasoning.effort is None and reasoning.budget is None:
        return {}
    style = _STYLES[profile.reasoning]
    if reasoning.mode is ReasoningMode.OFF:
        return style.off(profile)
    return {**style.on(reasoning, profile, max_tokens), "includeThoughts": reasoning.visible is not False}


class _Level:
    @staticmethod
    def off(profile: ModelProfile) -> Wire:
        least = Effort.MINIMAL if Effort.MINIMAL in profile.efforts else Effort.LOW
        return {"thinkingLevel": least.value, "includeThoughts": False}

    @staticmethod
    def on(reasoning: Reasoning, profile: ModelProfile, max_tokens: int | None) -> Wire:
        del max_tokens
        asked = reasoning.effort
        if asked is None and reasoning.budget is not None:
            asked = effort_of(reasoning.budget)
        level = clamp(asked, profile.efforts) if asked is not None else None
        return {} if level is None else {"thinkingLevel": level.value}


class _Budget:
    @staticmethod
    def off(profile: ModelProfile) -> Wire:
        return {
            "thinkingBudget": 0 if profile.reasoning_off else profile.min_budget or 0,
            "includeThoughts": False,
        }

    @staticmethod
    def on(reasoning: Reasoning, profile: ModelProfile, max_tokens: int | None) -> Wire:
        budget = reasoning.budget
        if budget is None and reasoning.effort is not None:
            budget = budget_of(reasoning.effort)
        if budget is None:
            return {"thinkingBudget": _AUTOMATIC}
        bounds = [bound for bound in (profile.max_budget, max_tokens and max_tokens - 1) if bound is not None]
        budget = min([budget, *bounds])
        return {"thinkingBudget": max(budget, profile.min_budget or 0)}


_STYLES: dict[ReasoningStyle, type[_Level | _Budget]] = {
    ReasoningStyle.GEMINI_LEVEL: _Level,
    ReasoningStyle.GEMINI_BUDGET: _Budget,
}
