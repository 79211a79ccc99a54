"""Models by name, and what they can do."""

from __future__ import annotations

from enum import Enum

from ccr.domain.conversation.conversation import Effort
from ccr.domain.value import value

__all__ = ["KIMI_SEARCH", "Destination", "ModelProfile", "ModelRef", "ReasoningStyle", "SchemaStyle"]

KIMI_SEARCH = "$web_search"
"""Moonshot's own tool: the model calls it, the caller gives the arguments back as the result, the provider searches."""


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
    """``thinking: {type: adaptive | disabled}`` and ``output_config.effort``: Claude since 4.6."""
    ANTHROPIC_BUDGET = "anthropic_budget"
    """``thinking: {type: enabled | disabled, budget_tokens}``: Claude until 4.5."""
    EFFORT = "effort"
    """``reasoning_effort``."""
    OPENROUTER = "openrouter"
    """``reasoning: {effort | max_tokens}``."""
    THINKING_TYPE = "thinking_type"
    """``thinking: {type: enabled | disabled}``."""
    BOTH = "both"
    """``thinking`` and ``enable_thinking``: for providers of which nobody told us (transformer ``reasoning``)."""
    ENABLE_THINKING = "enable_thinking"
    """``enable_thinking`` and ``thinking_budget``."""
    GEMINI_LEVEL = "gemini_level"
    """``thinkingConfig.thinkingLevel`` (Gemini 3); never together with a budget."""
    GEMINI_BUDGET = "gemini_budget"
    """``thinkingConfig.thinkingBudget`` (Gemini 2.5)."""


class SchemaStyle(Enum):
    """Which JSON schemas a tool may have (providers.md 4.5)."""

    JSON = "json"
    """Any."""
    INLINE = "inline"
    """Any, but ``$ref`` and ``$defs`` are written out."""
    OPENAPI = "openapi"
    """The subset that Gemini's ``parameters`` takes."""


@value
class ModelProfile:
    """What a model can do and how it wants to be asked. Tokens where numbers; None = unknown.

    Attributes:
        max_tokens_field: the provider's name for the output limit.
        reasoning: how it is told to think.
        efforts: levels it knows, in rising order; a level asked for is clamped to these.
        reasoning_off: thinking can be switched off; else the least level stands for off.
        min_budget, max_budget: bounds of a thinking budget.
        reasoning_field: name of the assistant message's field in which its reasoning comes and must be given back,
            empty = reasoning is not given back.
        reasoning_required: that field must be on every assistant message with tool calls.
        reasoning_parts: reasoning stands in the content as parts (``{type: thinking}``), both ways (Mistral).
        images, documents: whether it sees them.
        image_results: a tool's result may hold images; else they follow in the user's words.
        tool_choice_required: whether ``tool_choice: required`` or a named tool is understood.
        tool_choice_with_reasoning: that is so while it thinks, too.
        tool_choice_word: the provider's word for ``required``.
        parallel_tools: whether ``parallel_tool_calls`` is understood.
        max_tools: most tools that a request may offer.
        call_id_length: exact length of tool call ids, which are then letters and digits (Mistral's 9).
        schema: which tool schemas it takes.
        schema_drop: keywords left out of tool schemas, wherever they stand; ``strict`` also drops the tool's flag.
        max_stop: most stop sequences.
        output_format: how structured output is asked for: ``json_schema``, ``json_object`` or not at all (empty).
        web_search: how its own web search is asked for: ``anthropic``, ``gemini``, ``kimi``, ``openai`` (Responses),
            ``openai_chat`` (its search models), ``openrouter``, ``qwen``, ``xai``, ``zhipu``; empty = it has none.
        system_in_turns: system messages may stand between the others; else they are folded into the user's.
        cache_marks: ``cache_control`` is understood inside an OpenAI-style message.
        stream_usage: ``stream_options.include_usage`` is understood.
        prefill: the assistant may have the last word, which the model then continues.
        sampling: temperature, top_p and top_k may be sent.
        sampling_with_reasoning: they may be sent while it thinks.
    """

    context_window: int | None = None
    max_output: int | None = None
    max_tokens_field: str = "max_tokens"
    reasoning: ReasoningStyle = ReasoningStyle.NONE
    efforts: tuple[Effort, ...] = (Effort.LOW, Effort.MEDIUM, Effort.HIGH)
    reasoning_off: bool = True
    min_budget: int | None = None
    max_budget: int | None = None
    reasoning_field: str = ""
    reasoning_required: bool = False
    reasoning_parts: bool = False
    images: bool = True
    documents: bool = False
    image_results: bool = False
    tool_choice_required: bool = True
    tool_choice_with_reasoning: bool = True
    tool_choice_word: str = "required"
    parallel_tools: bool = True
    max_tools: int | None = None
    call_id_length: int | None = None
    schema: SchemaStyle = SchemaStyle.JSON
    schema_drop: tuple[str, ...] = ()
    max_stop: int | None = None
    output_format: str = "json_schema"
    web_search: str = ""
    system_in_turns: bool = True
    cache_marks: bool = False
    stream_usage: bool = True
    prefill: bool = True
    sampling: bool = True
    sampling_with_reasoning: bool = True

    def samples(self, *, thinking: bool) -> bool:
        """Whether temperature and its like may be sent with a request that asks for thinking, or for none."""
        return self.sampling and (self.sampling_with_reasoning or not thinking)


_SEARCHING = {
    "anthropic": frozenset({"anthropic"}),
    "gemini": frozenset({"gemini"}),
    "kimi": frozenset({"openai_chat"}),
    "openai": frozenset({"openai_responses"}),
    "openai_chat": frozenset({"openai_chat"}),
    "openrouter": frozenset({"openai_chat"}),
    "qwen": frozenset({"openai_chat"}),
    "xai": frozenset({"openai_chat", "openai_responses"}),
    "zhipu": frozenset({"openai_chat"}),
}
"""The dialects in which each way to ask for web search can be said."""


@value
class Destination:
    """Where a request goes: what a transformer may know of it. ``is_anthropic`` = it is Anthropic's own API."""

    ref: ModelRef
    profile: ModelProfile
    dialect: str
    is_anthropic: bool = False

    @property
    def searches(self) -> bool:
        """Whether it searches the web by itself, if it is asked to in its dialect."""
        return self.is_anthropic or self.dialect in _SEARCHING.get(self.profile.web_search, ())

    @property
    def search_call(self) -> str:
        """The call by which its own search asks the caller for leave to search; empty if it does not ask."""
        return KIMI_SEARCH if self.searches and self.profile.web_search == "kimi" else ""
