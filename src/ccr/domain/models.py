"""Models by name, and what they can do."""

from __future__ import annotations

from enum import Enum

from ccr.domain._value import value
from ccr.domain.conversation.conversation import Effort

__all__ = ["Destination", "ModelProfile", "ModelRef", "ReasoningStyle"]


@value
class ModelRef:
    """A model at a provider; ``str()`` is the configuration's ``provider,model``."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider},{self.model}"


class ReasoningStyle(Enum):
    """How a model is told to think (providers.md 4.2)."""

    NONE = "none"
    """It cannot be told; nothing is sent."""
    ANTHROPIC = "anthropic"
    """``thinking`` and ``output_config.effort`` as they are."""
    EFFORT = "effort"
    """``reasoning_effort``."""
    OPENROUTER = "openrouter"
    """``reasoning: {effort | max_tokens}``."""
    THINKING_TYPE = "thinking_type"
    """``thinking: {type: enabled | disabled}``."""
    ENABLE_THINKING = "enable_thinking"
    """``enable_thinking`` and ``thinking_budget``."""


@value
class ModelProfile:
    """What a model can do and how it wants to be asked. Tokens where numbers; None = unknown.

    Attributes:
        max_tokens_field: the provider's name for the output limit.
        reasoning: how it is told to think.
        efforts: levels it knows, in rising order; a level asked for is clamped to these.
        reasoning_field: name of the assistant message's field in which its reasoning comes and must be given back,
            empty = reasoning is not given back.
        reasoning_required: that field must be on every assistant message with tool calls.
        images, documents: whether it sees them.
        tool_choice_required: whether ``tool_choice: required`` or a named tool is understood.
        parallel_tools: whether ``parallel_tool_calls`` is understood.
        system_in_turns: system messages may stand between the others; else they are folded into the user's.
        cache_marks: ``cache_control`` is understood inside an OpenAI-style message.
        stream_usage: ``stream_options.include_usage`` is understood.
        sampling_with_reasoning: temperature and top_p may be sent while it thinks.
    """

    context_window: int | None = None
    max_output: int | None = None
    max_tokens_field: str = "max_tokens"
    reasoning: ReasoningStyle = ReasoningStyle.NONE
    efforts: tuple[Effort, ...] = (Effort.LOW, Effort.MEDIUM, Effort.HIGH)
    reasoning_field: str = ""
    reasoning_required: bool = False
    images: bool = True
    documents: bool = False
    tool_choice_required: bool = True
    parallel_tools: bool = True
    system_in_turns: bool = True
    cache_marks: bool = False
    stream_usage: bool = True
    sampling_with_reasoning: bool = True


@value
class Destination:
    """Where a request goes: what a transformer may know of it. ``is_anthropic`` = it is Anthropic's own API."""

    ref: ModelRef
    profile: ModelProfile
    dialect: str
    is_anthropic: bool = False
