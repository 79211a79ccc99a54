"""What a caller asks besides messages and tools: thinking, output format, sampling, limits.

Each provider that copied chat completions has its own word for thinking (providers.md 4.2); a caller may use any.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec

from ccr.adapters.dialects.openai_chat.request_wire import (
    STRING,
    Raw,
    WireFormat,
    WireReasoning,
    WireThinking,
    is_null,
    opening,
)
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import OUTPUT_LIMIT, checked, invalid
from ccr.adapters.wire.hints import of_enum
from ccr.domain.conversation import Effort, OutputFormat, Reasoning, ReasoningMode, Sampling

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["get", "read_format", "read_max_tokens", "read_reasoning", "read_sampling", "read_stop"]

T = TypeVar("T")

_INT = msgspec.json.Decoder(int)
_FLOAT = msgspec.json.Decoder(float)
_BOOL = msgspec.json.Decoder(bool)
_STRINGS: msgspec.json.Decoder[list[str]] = msgspec.json.Decoder(list[str])
_REASONING = msgspec.json.Decoder(WireReasoning)
_THINKING = msgspec.json.Decoder(WireThinking)
_FORMAT = msgspec.json.Decoder(WireFormat)

_MODES = {
    "enabled": ReasoningMode.ON,
    "disabled": ReasoningMode.OFF,
    "adaptive": ReasoningMode.ADAPTIVE,
    "auto": ReasoningMode.ADAPTIVE,
}


def get(top: Mapping[str, Raw], name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Return a field, None if it is absent or null. Raises InvalidRequestError if it has the wrong type."""
    raw = top.get(name)
    return None if raw is None or is_null(raw) else checked(decoder, raw, name)


def read_max_tokens(top: Mapping[str, Raw]) -> int | None:
    """Return the output limit in tokens, by either name."""
    new = get(top, "max_completion_tokens", OUTPUT_LIMIT)
    return get(top, "max_tokens", OUTPUT_LIMIT) if new is None else new


def read_sampling(top: Mapping[str, Raw]) -> Sampling:
    """Return what the model is to sample by."""
    return Sampling(
        get(top, "temperature", _FLOAT),
        get(top, "top_p", _FLOAT),
        get(top, "top_k", _INT),
        get(top, "seed", _INT),
        get(top, "presence_penalty", _FLOAT),
        get(top, "frequency_penalty", _FLOAT),
    )


def read_stop(top: Mapping[str, Raw]) -> tuple[str, ...]:
    """Return the stop sequences: one as a string, or a list."""
    raw = top.get("stop")
    if raw is None or is_null(raw):
        return ()
    if opening(raw) == b'"':
        return (checked(STRING, raw, "stop"),)
    return (*checked(_STRINGS, raw, "stop"),)


def read_reasoning(top: Mapping[str, Raw]) -> Reasoning:
    """Return what is asked of thinking, in whichever words; of several the first says how, in the order of this code.

    A level alone leaves it to the model how much: ADAPTIVE.
    """
    said = get(top, "reasoning", _REASONING) or WireReasoning()
    thinking = get(top, "thinking", _THINKING) or WireThinking()
    word = (get(top, "reasoning_effort", STRING) or said.effort or "").lower()
    switch = get(top, "enable_thinking", _BOOL)
    budget = next(
        (
            tokens
            for tokens in (
                said.max_tokens,
                thinking.budget_tokens,
                get(top, "thinking_budget", _INT),
            )
            if tokens is not None
        ),
        None,
    )
    visible = None if said.exclude is None else not said.exclude
    if word == "none" or said.enabled is False:
        return Reasoning(ReasoningMode.OFF, visible=visible)
    effort = of_enum(Effort, word)
    mode = _MODES.get(thinking.type, ReasoningMode.UNSET)
    if mode is ReasoningMode.UNSET and switch is not None:
        mode = ReasoningMode.ON if switch else ReasoningMode.OFF
    if mode is ReasoningMode.UNSET and budget is not None:
        mode = ReasoningMode.ON
    if mode is ReasoningMode.UNSET and (word or said.enabled):
        mode = ReasoningMode.ADAPTIVE
    return Reasoning(mode, effort, budget, visible)


def read_format(top: Mapping[str, Raw]) -> OutputFormat | None:
    """Return the structured output that is asked for, None for plain text."""
    wire = get(top, "response_format", _FORMAT)
    if wire is None or wire.type == "text":
        return None
    if wire.type == "json_object":
        return OutputFormat()
    if wire.type != "json_schema":
        raise invalid("response_format.type", "must be text, json_object or json_schema")
    path = "response_format.json_schema"
    if opening(wire.json_schema) != b"{":
        raise invalid(path, "must be an object")
    inner = checked(_FORMAT, wire.json_schema, path)
    if not is_null(inner.schema) and opening(inner.schema) != b"{":
        raise invalid(f"{path}.schema", "must be a JSON schema object")
    schema = None if is_null(inner.schema) else json.json_of(inner.schema)
    return OutputFormat(schema, inner.name or "output", inner.strict)
