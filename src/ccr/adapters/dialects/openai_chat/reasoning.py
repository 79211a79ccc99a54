"""How a model is told to think, by the style of its profile (providers.md 4.2 and 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.parts import Message
from ccr.domain.conversation import Reasoning, ReasoningMode
from ccr.domain.effort import budget_of, clamp, effort_of
from ccr.domain.models import ReasoningStyle
from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import Effort
    from ccr.domain.models import ModelProfile

__all__ = ["reasoning_fields", "thinks"]

_MIN_BUDGET = 1024


def thinks(reasoning: Reasoning) -> bool:
    """Whether the caller asked for thinking."""
    if reasoning.mode is ReasoningMode.UNSET:
        return reasoning.effort is not None
    return reasoning.mode is not ReasoningMode.OFF


def reasoning_fields(reasoning: Reasoning, profile: ModelProfile, max_tokens: int | None) -> Message:
    """Return the fields that ask for it; nothing if the caller said nothing or the model cannot be told.

    A model that cannot stop thinking is asked for the least.
    """
    if reasoning.mode is ReasoningMode.UNSET and reasoning.effort is None:
        return {}
    writer = _STYLES.get(profile.reasoning)
    if writer is None:  # it cannot be told, or not in this dialect
        return {}
    on = thinks(reasoning)
    asked = _Asked(
        on=on or not profile.reasoning_off,
        level=_level(reasoning, profile) if on else _least(profile),
        budget=_budget(reasoning, profile, max_tokens) if on else profile.min_budget,
        counted=on and reasoning.effort is None and reasoning.budget is not None,
    )
    return writer(asked)


@value
class _Asked:
    """``counted`` = the caller gave a budget and no level."""

    on: bool
    level: Effort | None
    budget: int | None
    counted: bool


def _level(reasoning: Reasoning, profile: ModelProfile) -> Effort | None:
    asked = reasoning.effort
    if asked is None and reasoning.budget is not None:
        asked = effort_of(reasoning.budget)
    return clamp(asked, profile.efforts) if asked else None


def _least(profile: ModelProfile) -> Effort | None:
    return profile.efforts[0] if profile.efforts and not profile.reasoning_off else None


def _budget(reasoning: Reasoning, profile: ModelProfile, max_tokens: int | None) -> int | None:
    """A budget is within the model's bounds and smaller than the output limit, or there is none."""
    asked = reasoning.budget
    if asked is None and reasoning.effort is not None:
        asked = budget_of(reasoning.effort)
    if asked is None:
        return None
    if profile.max_budget is not None:
        asked = min(asked, profile.max_budget)
    if profile.min_budget is not None:
        asked = max(asked, profile.min_budget)
    if max_tokens is not None and asked >= max_tokens:
        asked = max_tokens // 2
    return asked if asked >= (_MIN_BUDGET if profile.min_budget is None else profile.min_budget) else None


# ------------------------------------------------------------------------------------------ a style at a time


def _effort(asked: _Asked) -> Message:
    if not asked.on:
        return {"reasoning_effort": "none"}
    return {"reasoning_effort": asked.level.value} if asked.level else {}


def _openrouter(asked: _Asked) -> Message:
    if not asked.on:
        return {"reasoning": {"effort": "none"}}
    if asked.counted and asked.budget is not None:
        return {"reasoning": {"max_tokens": asked.budget}}
    return {"reasoning": {"effort": asked.level.value} if asked.level else {"enabled": True}}


def _thinking_type(asked: _Asked) -> Message:
    fields: Message = {"thinking": {"type": "enabled" if asked.on else "disabled"}}
    return {**fields, "reasoning_effort": asked.level.value} if asked.level else fields


def _both(asked: _Asked) -> Message:
    return {"thinking": {"type": "enabled" if asked.on else "disabled"}, "enable_thinking": asked.on}


def _enable_thinking(asked: _Asked) -> Message:
    fields: Message = {"enable_thinking": asked.on}
    return {**fields, "thinking_budget": asked.budget} if asked.on and asked.budget else fields


_STYLES: dict[ReasoningStyle, Callable[[_Asked], Message]] = {
    ReasoningStyle.EFFORT: _effort,
    ReasoningStyle.OPENROUTER: _openrouter,
    ReasoningStyle.THINKING_TYPE: _thinking_type,
    ReasoningStyle.BOTH: _both,
    ReasoningStyle.ENABLE_THINKING: _enable_thinking,
}
