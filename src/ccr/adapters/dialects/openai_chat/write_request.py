"""A conversation as a chat completions request. Nothing is sent that the profile does not say is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.messages import (
    Losses,
    Message,
    fold_system,
    text_content,
    turn_messages,
)
from ccr.adapters.dialects.openai_chat.reasoning import reasoning_fields, thinks
from ccr.adapters.dialects.openai_chat.tools import choose, offered, write_tool
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.tool_changes import applied
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.fidelity import Loss
from ccr.domain.pairing import pair_tools
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation, OutputFormat, Turn
    from ccr.domain.models import ModelProfile

__all__ = ["write_request", "write_turn"]

_BILLING = "x-anthropic-billing-header:"
"""Claude Code's attribution line: it changes with every request and would spoil prefix caches elsewhere (P21)."""

_MAX_STOPS = 4


def write_turn(turn: Turn, profile: ModelProfile) -> bytes:
    """Return the messages of one turn, comma-separated; empty if nothing of it can be said here."""
    return b",".join(map(CODEC.encode, turn_messages(turn, profile, {})))


def write_request(conversation: Conversation, profile: ModelProfile) -> Encoded:
    """Return the whole request, and what could not be carried over."""
    losses: Losses = {}
    own = conversation.dialect == NAME
    conversation = applied(conversation)
    tools = offered(conversation, losses)
    choice, said = choose(conversation.tool_choice, tools, profile, losses)
    max_tokens = _max_tokens(conversation, profile)
    fields: Message = {
        "model": conversation.model,
        "messages": _messages(conversation, profile, said, losses),
    }
    if tools:
        fields["tools"] = Json(CODEC.encode([write_tool(tool) for tool in tools]))
        fields.update(choice)
    if max_tokens is not None:
        fields[profile.max_tokens_field] = max_tokens
    fields.update(_sampling(conversation, profile, losses))
    if conversation.stop:
        fields["stop"] = list(conversation.stop[:_MAX_STOPS])
        if len(conversation.stop) > _MAX_STOPS:
            losses[Loss("stop", "first four")] = None
    fields.update(reasoning_fields(conversation.reasoning, profile, max_tokens))
    if conversation.output_format is not None:
        fields["response_format"] = _response_format(conversation.output_format)
    if conversation.cache_key:
        fields["prompt_cache_key"] = conversation.cache_key
    if conversation.stream:
        fields["stream"] = True
        if profile.stream_usage:
            fields["stream_options"] = {"include_usage": True}
    if own:
        fields.update(_own(conversation))
    return Encoded(Payload(fields, CODEC), tuple(losses))


def _messages(
    conversation: Conversation, profile: ModelProfile, said: Message | None, losses: Losses
) -> Json:
    system = text_content(
        (block for block in conversation.system if not block.text.startswith(_BILLING)), profile, "\n\n"
    )
    messages: list[Message] = [{"role": "system", "content": system}] if system else []
    turns = pair_tools(conversation.turns)
    if not profile.system_in_turns:
        turns = fold_system(turns)
    for turn in turns:
        messages.extend(turn_messages(turn, profile, losses))
    if said is not None:
        messages.append(said)
    return Json(CODEC.encode(messages))


def _max_tokens(conversation: Conversation, profile: ModelProfile) -> int | None:
    """Claude Code asks for 128000 of any model (P14)."""
    asked = conversation.max_tokens
    if asked is None or profile.max_output is None:
        return asked
    return min(asked, profile.max_output)


def _sampling(conversation: Conversation, profile: ModelProfile, losses: Losses) -> Message:
    sampling = conversation.sampling
    fields: Message = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    if not profile.sampling_with_reasoning and thinks(conversation.reasoning):
        if any(value is not None for value in fields.values()):
            losses[Loss("sampling")] = None
        fields = {}
    if sampling.top_k is not None:
        losses[Loss("top_k")] = None
    fields["seed"] = sampling.seed
    fields["presence_penalty"] = sampling.presence_penalty
    fields["frequency_penalty"] = sampling.frequency_penalty
    return {name: value for name, value in fields.items() if value is not None}


def _response_format(output: OutputFormat) -> Message:
    if output.schema is None:
        return {"type": "json_object"}
    schema: Message = {"name": output.name, "schema": output.schema}
    if output.strict is not None:
        schema["strict"] = output.strict
    return {"type": "json_schema", "json_schema": schema}


def _own(conversation: Conversation) -> Message:
    """What only means something to the dialect it came from; ids of users of others are nobody's business here."""
    fields: Message = dict(conversation.extra)
    if conversation.user:
        fields["user"] = conversation.user
    if conversation.metadata is not None:
        fields["metadata"] = conversation.metadata
    if conversation.service_tier:
        fields["service_tier"] = conversation.service_tier
    return fields
