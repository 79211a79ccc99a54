"""Thinking and sampling as an Anthropic door takes them, by the profile of the model behind it (providers.md 4.2, 4.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation import Effort, Reasoning, ReasoningMode
from ccr.domain.effort import clamp, effort_of
from ccr.domain.fidelity import Loss
from ccr.domain.models import ReasoningStyle

if TYPE_CHECKING:
    from ccr.adapters.dialects.anthropic.write_blocks import Wire
    from ccr.domain.conversation import Sampling
    from ccr.domain.models import ModelProfile

__all__ = ["literal_fields", "reasoning_fields", "sampling_fields", "thinks"]

_BUDGETS = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 1024,
    Effort.MEDIUM: 8192,
    Effort.HIGH: 16_384,
    Effort.XHIGH: 31_999,
    Effort.MAX: 31_999,
}
"""Claude Code's own: the most is what it asks of a model for its hardest thinking."""
_MIN_BUDGET = 1024
_TYPES = {ReasoningMode.ON: "enabled", ReasoningMode.OFF: "disabled", ReasoningMode.ADAPTIVE: "adaptive"}
_MAX_TEMPERATURE = 1.0
"""Others go up to 2."""
_LEVELS = frozenset({ReasoningStyle.ANTHROPIC, ReasoningStyle.OPENROUTER})
"""Adaptive thinking is understood, and an effort says how much."""


def thinks(reasoning: Reasoning) -> bool:
    """Whether the caller asked for thinking."""
    return reasoning.mode in (ReasoningMode.ON, ReasoningMode.ADAPTIVE)


def reasoning_fields(
    reasoning: Reasoning, profile: ModelProfile, max_tokens: int, losses: list[Loss]
) -> Wire:
    """Return ``thinking`` and ``output_config`` as far as they are to be sent; a budget is less than ``max_tokens``."""
    if reasoning.mode is ReasoningMode.UNSET and reasoning.effort is None:
        return {}
    style = profile.reasoning
    if style is ReasoningStyle.NONE:
        if thinks(reasoning):
            losses.append(Loss("reasoning"))
        return {}
    if reasoning.mode is ReasoningMode.OFF:
        return _off(profile)
    level = _level(reasoning, profile)
    if style is ReasoningStyle.EFFORT:
        return _effort(level)
    if style in _LEVELS:
        if reasoning.mode is ReasoningMode.UNSET:
            return _effort(level)
        return {"thinking": _shown({"type": "adaptive"}, reasoning), **_effort(level)}
    if reasoning.mode is ReasoningMode.UNSET:
        return {}
    budget = _budget(reasoning, profile, max_tokens)
    if budget < _MIN_BUDGET:  # the API refuses less, and there must be room for an answer
        losses.append(Loss("reasoning"))
        return {}
    thinking = _shown({"type": "enabled", "budget_tokens": budget}, reasoning)
    beside = style is ReasoningStyle.THINKING_TYPE  # DeepSeek and GLM take a level besides
    return {"thinking": thinking, **(_effort(level) if beside else {})}


def literal_fields(reasoning: Reasoning) -> Wire:
    """Return the same for a caller that spoke this dialect, and knows what may be said to its model."""
    wire: Wire = {}
    if reasoning.mode is not ReasoningMode.UNSET:
        thinking: Wire = {"type": _TYPES[reasoning.mode]}
        if reasoning.mode is ReasoningMode.ON:
            thinking["budget_tokens"] = reasoning.budget or _BUDGETS[reasoning.effort or Effort.MEDIUM]
        wire["thinking"] = thinking if reasoning.mode is ReasoningMode.OFF else _shown(thinking, reasoning)
    level = Effort.LOW if reasoning.effort is Effort.MINIMAL else reasoning.effort
    return {**wire, **_effort(level)}


def sampling_fields(
    sampling: Sampling, profile: ModelProfile, losses: list[Loss], *, thinking: bool, own: bool
) -> Wire:
    """Return what may be sent of temperature and its like. ``own`` = the request came in this dialect."""
    wire: Wire = {}
    for name in ("temperature", "top_p", "top_k"):
        if (value := getattr(sampling, name)) is not None:
            wire[name] = value
    unknown = ("seed", "presence_penalty", "frequency_penalty")
    losses.extend(Loss(name) for name in unknown if getattr(sampling, name) is not None)
    may = profile.samples(thinking=thinking)
    if not may and wire:
        if wire != {"temperature": _MAX_TEMPERATURE}:  # which is the default
            losses.append(Loss("sampling"))
        return {}
    heat = sampling.temperature
    if heat is not None and heat > _MAX_TEMPERATURE:
        losses.append(Loss("temperature", "1"))
        wire["temperature"] = _MAX_TEMPERATURE
    if not own and "temperature" in wire and wire.pop("top_p", None) is not None:
        losses.append(Loss("top_p"))  # newer models refuse the two together
    return wire


def _off(profile: ModelProfile) -> Wire:
    if profile.reasoning_off:
        return {"thinking": {"type": "disabled"}}
    return _effort(profile.efforts[0] if profile.efforts else None)


def _level(reasoning: Reasoning, profile: ModelProfile) -> Effort | None:
    asked = reasoning.effort
    if asked is None and reasoning.budget is not None:
        asked = effort_of(reasoning.budget)
    return clamp(asked, profile.efforts) if asked else None


def _effort(level: Effort | None) -> Wire:
    return {"output_config": {"effort": level.value}} if level else {}


def _shown(thinking: Wire, reasoning: Reasoning) -> Wire:
    if reasoning.visible is not None:
        thinking["display"] = "summarized" if reasoning.visible else "omitted"
    return thinking


def _budget(reasoning: Reasoning, profile: ModelProfile, max_tokens: int) -> int:
    asked = reasoning.budget or _BUDGETS[reasoning.effort or Effort.MEDIUM]
    if profile.max_budget is not None:
        asked = min(asked, profile.max_budget)
    return min(max(asked, profile.min_budget or _MIN_BUDGET), max_tokens - 1)
