"""How a model is told to think, by the style of its profile (providers.md 4.2 and 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.messages import Message
from ccr.domain.conversation import Reasoning, ReasoningMode
from ccr.domain.effort import budget_of, clamp, effort_of
from ccr.domain.models import ReasoningStyle

if TYPE_CHECKING:
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
    """Return the fields that ask for it; nothing if the caller said nothing or the model cannot be told."""
    if reasoning.mode is ReasoningMode.UNSET and reasoning.effort is None:
        return {}
    on = thinks(reasoning)
    level = _level(reasoning, profile) if on else None
    match profile.reasoning:
        case ReasoningStyle.EFFORT:
            # Without a way to switch it off, the least is the nearest.
            least = profile.efforts[0] if profile.efforts and not on else level
            return {"reasoning_effort": least.value} if least else {}
        case ReasoningStyle.OPENROUTER:
            return {"reasoning": _openrouter(reasoning, level, on=on)}
        case ReasoningStyle.THINKING_TYPE:
            fields: Message = {"thinking": {"type": "enabled" if on else "disabled"}}
            return {**fields, "reasoning_effort": level.value} if level else fields
        case ReasoningStyle.ENABLE_THINKING:
            budget = _budget(reasoning, max_tokens) if on else None
            fields = {"enable_thinking": on}
            return {**fields, "thinking_budget": budget} if budget else fields
        case _:  # it cannot be told, or not in this dialect
            return {}


def _level(reasoning: Reasoning, profile: ModelProfile) -> Effort | None:
    asked = reasoning.effort
    if asked is None and reasoning.budget is not None:
        asked = effort_of(reasoning.budget)
    return clamp(asked, profile.efforts) if asked else None


def _openrouter(reasoning: Reasoning, level: Effort | None, *, on: bool) -> Message:
    if not on:
        return {"effort": "none"}
    if reasoning.effort is None and reasoning.budget is not None:
        return {"max_tokens": reasoning.budget}
    return {"effort": level.value} if level else {"enabled": True}


def _budget(reasoning: Reasoning, max_tokens: int | None) -> int | None:
    """A budget is smaller than the output limit, or there is none."""
    asked = reasoning.budget
    if asked is None and reasoning.effort is not None:
        asked = budget_of(reasoning.effort)
    if asked is None:
        return None
    if max_tokens is not None and asked >= max_tokens:
        asked = max_tokens // 2
    return asked if asked >= _MIN_BUDGET else None
