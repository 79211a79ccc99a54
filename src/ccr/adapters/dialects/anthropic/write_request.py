"""A conversation as a Messages request.

Anthropic itself gets untouched turns as their own bytes and every field as it came (CONTRACT: preserved thinking and
prefix caches hang on it). Others get what ``degrade`` leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.degrade import merged, plain_turn, unmarked, without_foreign
from ccr.adapters.dialects.anthropic.read_request import read_output, read_reasoning
from ccr.adapters.dialects.anthropic.wire import BILLING, DIALECT
from ccr.adapters.dialects.anthropic.write_blocks import Wire, write_blocks
from ccr.adapters.dialects.anthropic.write_tools import own_tools, plain_tools, write_choice, write_tools
from ccr.adapters.wire import json
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.tool_changes import applied
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.conversation import (
    Effort,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Text,
)
from ccr.domain.fidelity import Loss
from ccr.domain.models import ReasoningStyle
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import Conversation, Tool, Turn
    from ccr.domain.models import ModelProfile

__all__ = ["VERSION", "encoded_request", "write_tools", "write_turn"]

VERSION = "2023-06-01"
_DEFAULT_MAX_TOKENS = 32_000
"""What Claude Code asks of a model that it does not know; the field is required here."""
_TYPES = {ReasoningMode.ON: "enabled", ReasoningMode.OFF: "disabled", ReasoningMode.ADAPTIVE: "adaptive"}
_BUDGETS = {
    Effort.MINIMAL: 1024,
    Effort.LOW: 1024,
    Effort.MEDIUM: 8192,
    Effort.HIGH: 16_384,
    Effort.XHIGH: 31_999,
    Effort.MAX: 31_999,
}
_MIN_BUDGET = 1024


def write_turn(turn: Turn, profile: ModelProfile) -> bytes:
    """Write one turn from its blocks (never from its source). Pure and context-free."""
    del profile
    return json.encode_wire({"role": turn.role.value, "content": write_blocks(turn.blocks)})


def encoded_request(
    conversation: Conversation,
    profile: ModelProfile,
    *,
    is_anthropic: bool,
    write_turn: Callable[[Turn, ModelProfile], bytes] = write_turn,
    write_tools: Callable[[Sequence[Tool]], bytes] = write_tools,
) -> Encoded:
    """Write the whole request and say what was lost."""
    losses: list[Loss] = []
    if not is_anthropic:
        conversation = applied(conversation)
    fields: dict[str, object] = {
        "model": conversation.model,
        "max_tokens": _max_tokens(conversation, profile),
    }
    system = _system(conversation.system, is_anthropic=is_anthropic)
    if system:
        fields["system"] = Json(json.encode_wire(write_blocks(system)))
    messages = _messages(conversation.turns, profile, losses, write_turn, is_anthropic=is_anthropic)
    fields["messages"] = Json(b"[" + b",".join(messages) + b"]")
    if is_anthropic:
        tools = own_tools(conversation.tools, losses)
    else:
        tools = plain_tools(conversation.tools, profile, losses)
    if tools:
        fields["tools"] = Json(write_tools(tools))
        if conversation.tool_choice is not None:
            fields["tool_choice"] = write_choice(conversation.tool_choice, tools)
    fields |= _sampling(conversation, profile)
    if is_anthropic:
        fields |= _own_fields(conversation)
    else:
        fields |= _plain_reasoning(conversation.reasoning, profile, int(str(fields["max_tokens"])), losses)
        losses += _dropped(conversation)
    if conversation.stream:
        fields["stream"] = True
    unique = tuple(dict.fromkeys(losses))
    return Encoded(Payload(fields, CODEC), unique, (("anthropic-version", VERSION),))


def _max_tokens(conversation: Conversation, profile: ModelProfile) -> int:
    wanted = conversation.max_tokens or profile.max_output or _DEFAULT_MAX_TOKENS
    return min(wanted, profile.max_output) if profile.max_output else wanted


def _system(system: Sequence[Text], *, is_anthropic: bool) -> Sequence[Text]:
    if is_anthropic:
        return system
    return [
        Text(block.text, unmarked(block.cache))
        for block in system
        if block.text and not block.text.startswith(BILLING)
    ]


def _messages(
    turns: Sequence[Turn],
    profile: ModelProfile,
    losses: list[Loss],
    write_turn: Callable[[Turn, ModelProfile], bytes],
    *,
    is_anthropic: bool,
) -> list[bytes]:
    if not is_anthropic:
        plain = merged(plain_turn(turn, profile, losses) for turn in turns)
        return [write_turn(turn, profile) for turn in plain]
    written = []
    for turn in turns:
        kept = without_foreign(turn, losses)
        source = kept.source
        if source is not None and source.dialect == DIALECT:
            written.append(source.data)
        elif kept.blocks:
            written.append(write_turn(kept, profile))
    return written


def _sampling(conversation: Conversation, profile: ModelProfile) -> Wire:
    sampling, wire = conversation.sampling, dict[str, object]()
    thinks = conversation.reasoning.mode in (ReasoningMode.ON, ReasoningMode.ADAPTIVE)
    if profile.sampling_with_reasoning or not thinks:
        for name in ("temperature", "top_p", "top_k"):
            if (value := getattr(sampling, name)) is not None:
                wire[name] = value
    if conversation.stop:
        wire["stop_sequences"] = list(conversation.stop)
    return wire


# ------------------------------------------------------------------------------------- Anthropic itself


def _own_fields(conversation: Conversation) -> Wire:
    """Thinking, output and metadata, and what came beside the vocabulary if it came from this dialect."""
    extra = dict(conversation.extra) if conversation.dialect == DIALECT else {}
    wire: Wire = {}
    thinking = extra.pop("thinking", None)
    output = extra.pop("output_config", None)
    reasoning, form = conversation.reasoning, conversation.output_format
    said_output = output is not None and read_output(output.data) == (reasoning.effort, form)
    said_thinking = thinking is not None and read_reasoning(thinking.data, reasoning.effort) == reasoning
    if reasoning.mode is not ReasoningMode.UNSET:
        wire["thinking"] = thinking if said_thinking else _thinking(reasoning)
    if said_output:
        wire["output_config"] = output
    elif reasoning.effort is not None or form is not None:
        wire["output_config"] = _output_config(reasoning.effort, form)
    if conversation.service_tier is not None and conversation.dialect == DIALECT:
        wire["service_tier"] = conversation.service_tier
    if conversation.metadata is not None and conversation.dialect == DIALECT:
        wire["metadata"] = conversation.metadata
    elif conversation.user:
        wire["metadata"] = {"user_id": conversation.user}
    return {**wire, **extra}


def _thinking(reasoning: Reasoning) -> Wire:
    wire: Wire = {"type": _TYPES[reasoning.mode]}
    if reasoning.mode is ReasoningMode.ON:
        wire["budget_tokens"] = reasoning.budget or _BUDGETS[reasoning.effort or Effort.MEDIUM]
    if reasoning.visible is not None and reasoning.mode is not ReasoningMode.OFF:
        wire["display"] = "summarized" if reasoning.visible else "omitted"
    return wire


def _output_config(effort: Effort | None, form: OutputFormat | None) -> Wire:
    wire: Wire = {}
    if effort is not None:
        wire["effort"] = (Effort.LOW if effort is Effort.MINIMAL else effort).value
    if form is not None:
        schema: object = form.schema if form.schema is not None else {"type": "object"}
        wire["format"] = {"type": "json_schema", "schema": schema}
    return wire


# ------------------------------------------------------------------------- who merely speaks like Anthropic


def _plain_reasoning(
    reasoning: Reasoning, profile: ModelProfile, max_tokens: int, losses: list[Loss]
) -> Wire:
    if reasoning.mode is ReasoningMode.UNSET:
        return {}
    if profile.reasoning not in (ReasoningStyle.ANTHROPIC, ReasoningStyle.THINKING_TYPE):
        if reasoning.mode is not ReasoningMode.OFF:
            losses.append(Loss("reasoning"))
        return {}
    if reasoning.mode is ReasoningMode.OFF:
        return {"thinking": {"type": "disabled"}}
    wanted = reasoning.budget or _BUDGETS[reasoning.effort or Effort.MEDIUM]
    budget = min(wanted, max_tokens - 1)
    if budget < _MIN_BUDGET:  # the API refuses less, and there must be room for an answer
        losses.append(Loss("reasoning"))
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget}}


def _dropped(conversation: Conversation) -> list[Loss]:
    names = [name for name, _ in conversation.extra if name not in ("thinking", "output_config")]
    if conversation.output_format is not None:
        names.append("output_format")
    if conversation.service_tier is not None:
        names.append("service_tier")
    return [Loss(name) for name in names]
