"""A conversation as a Messages request.

Anthropic itself gets untouched turns as their own bytes and every field as it came (CONTRACT: preserved thinking and
prefix caches hang on it). Others get what ``degrade`` leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ccr.adapters.dialects.anthropic.degrade import merged, plain_turn, unmarked, without_foreign
from ccr.adapters.dialects.anthropic.read_request import read_output, read_reasoning
from ccr.adapters.dialects.anthropic.wire import BILLING, DIALECT
from ccr.adapters.dialects.anthropic.write_blocks import Wire, write_blocks
from ccr.adapters.dialects.anthropic.write_reasoning import (
    literal_fields,
    reasoning_fields,
    sampling_fields,
    thinks,
)
from ccr.adapters.dialects.anthropic.write_tools import own_tools, plain_tools, write_choice, write_tools
from ccr.adapters.wire import json
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.names import short_name
from ccr.adapters.wire.notes import BEGINS, GO_ON
from ccr.adapters.wire.tool_changes import applied
from ccr.adapters.wire.tool_offers import must_call
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.conversation import Role, Text, ToolChoice, ToolMode, Turn
from ccr.domain.fidelity import Loss
from ccr.domain.pairing import pair_tools
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import Conversation, OutputFormat, Reasoning, Tool
    from ccr.domain.models import ModelProfile

__all__ = ["VERSION", "encoded_request", "write_tools", "write_turn"]

VERSION = "2023-06-01"
_DEFAULT_MAX_TOKENS = 32_000
"""What Claude Code asks of a model that it does not know; the field is required here."""


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
    if is_anthropic:
        tools = own_tools(conversation.tools, losses)
    else:
        tools = plain_tools(conversation.tools, profile, losses)
    choice, must = _choice(conversation, tools, profile, losses, is_anthropic=is_anthropic)
    system = [*_system(conversation.system, is_anthropic=is_anthropic), *must]
    if system:
        fields["system"] = Json(json.encode_wire(write_blocks(system)))
    messages = _messages(conversation, profile, losses, write_turn, is_anthropic=is_anthropic)
    fields["messages"] = Json(b"[" + b",".join(messages) + b"]")
    if tools:
        fields["tools"] = Json(write_tools(tools))
        if choice is not None:
            fields["tool_choice"] = write_choice(choice, tools)
    fields |= _sampling(conversation, profile, losses, is_anthropic=is_anthropic)
    if conversation.stop:
        fields["stop_sequences"] = list(conversation.stop)
    max_tokens = int(str(fields["max_tokens"]))
    if is_anthropic:
        fields |= _own_fields(conversation, profile, max_tokens, losses)
    else:
        fields |= reasoning_fields(_unshown(conversation.reasoning), profile, max_tokens, losses)
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


def _choice(
    conversation: Conversation,
    tools: Sequence[Tool],
    profile: ModelProfile,
    losses: list[Loss],
    *,
    is_anthropic: bool,
) -> tuple[ToolChoice | None, tuple[Text, ...]]:
    """Return which tool may be called, and what says it to the model where no field can.

    Whoever spoke this dialect to Anthropic itself knows what may be said there.
    """
    choice = conversation.tool_choice
    if choice is None or not tools or (is_anthropic and conversation.dialect == DIALECT):
        return choice, ()
    may = profile.tool_choice_required and (
        profile.tool_choice_with_reasoning or not thinks(conversation.reasoning)
    )
    if may or choice.mode not in (ToolMode.REQUIRED, ToolMode.NAMED):
        return choice, ()
    known = {tool.name for tool in tools}
    name = next((one for one in (choice.name, short_name(choice.name or "")) if one in known), None)
    if choice.mode is ToolMode.NAMED and name is None:
        return choice, ()  # of a tool that was left out
    losses.append(Loss("tool_choice", "as text"))
    return ToolChoice(parallel=choice.parallel), (Text(must_call(name or "")),)


def _sampling(
    conversation: Conversation, profile: ModelProfile, losses: list[Loss], *, is_anthropic: bool
) -> Wire:
    own = conversation.dialect == DIALECT
    if own and is_anthropic:  # what a model refuses is its caller's to know, but for what thinking forbids
        profile = evolve(profile, sampling=True)
    thinking = thinks(conversation.reasoning)
    return sampling_fields(conversation.sampling, profile, losses, thinking=thinking, own=own)


def _messages(
    conversation: Conversation,
    profile: ModelProfile,
    losses: list[Loss],
    write_turn: Callable[[Turn, ModelProfile], bytes],
    *,
    is_anthropic: bool,
) -> list[bytes]:
    if not is_anthropic:
        plain = merged(plain_turn(turn, profile, losses) for turn in pair_tools(conversation.turns))
        return [write_turn(turn, profile) for turn in _framed(plain, profile)]
    turns: Sequence[Turn] = conversation.turns
    if conversation.dialect != DIALECT:
        turns = _framed(pair_tools(conversation.turns), profile)
    written = []
    for turn in turns:
        kept = without_foreign(turn, losses)
        source = kept.source
        if source is not None and source.dialect == DIALECT:
            written.append(source.data)
        elif kept.blocks:
            written.append(write_turn(kept, profile))
    return written


def _framed(turns: Sequence[Turn], profile: ModelProfile) -> Sequence[Turn]:
    """Return turns of which the user has the first word, and the last one where it must."""
    first = next((turn.role for turn in turns if turn.role is not Role.SYSTEM), None)
    if first is not Role.USER:
        turns = (Turn(Role.USER, (Text(BEGINS),)), *turns)
    if turns[-1].role is Role.ASSISTANT and not profile.prefill:
        turns = (*turns, Turn(Role.USER, (Text(GO_ON),)))
    return turns


# ------------------------------------------------------------------------------------- Anthropic itself


def _own_fields(
    conversation: Conversation, profile: ModelProfile, max_tokens: int, losses: list[Loss]
) -> Wire:
    """Thinking, output and metadata, and what came beside the vocabulary if it came from this dialect.

    What came in this dialect and was not changed on the way goes out as it came.
    """
    extra = dict(conversation.extra) if conversation.dialect == DIALECT else {}
    wire: Wire = {}
    thinking = extra.pop("thinking", None)
    output = extra.pop("output_config", None)
    reasoning, form = conversation.reasoning, conversation.output_format
    said_output = output is not None and read_output(output.data) == (reasoning.effort, form)
    said_thinking = thinking is not None and read_reasoning(thinking.data, reasoning.effort) == reasoning
    if conversation.dialect == DIALECT:
        made = literal_fields(reasoning)
    else:
        made = reasoning_fields(reasoning, profile, max_tokens, losses)
    if "thinking" in made:
        wire["thinking"] = thinking if said_thinking else made["thinking"]
    if said_output:
        wire["output_config"] = output
    elif "output_config" in made or form is not None:
        level = cast("Wire", made.get("output_config", {}))
        wire["output_config"] = {**level, "format": _output_format(form)} if form is not None else level
    if conversation.service_tier is not None and conversation.dialect == DIALECT:
        wire["service_tier"] = conversation.service_tier
    if conversation.metadata is not None and conversation.dialect == DIALECT:
        wire["metadata"] = conversation.metadata
    elif conversation.user:
        wire["metadata"] = {"user_id": conversation.user}
    return {**wire, **extra}


def _unshown(reasoning: Reasoning) -> Reasoning:
    """Only Anthropic's own API knows ``display``."""
    return evolve(reasoning, visible=None) if reasoning.visible is not None else reasoning


def _output_format(form: OutputFormat) -> Wire:
    schema: object = form.schema if form.schema is not None else {"type": "object"}
    return {"type": "json_schema", "schema": schema}


# ------------------------------------------------------------------------- who merely speaks like Anthropic


def _dropped(conversation: Conversation) -> list[Loss]:
    names = [name for name, _ in conversation.extra if name not in ("thinking", "output_config")]
    if conversation.output_format is not None:
        names.append("output_format")
    if conversation.service_tier is not None:
        names.append("service_tier")
    return [Loss(name) for name in names]
