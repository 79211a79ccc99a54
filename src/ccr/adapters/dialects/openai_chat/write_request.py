"""A conversation as a chat completions request. Nothing is sent that the profile does not say is understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ccr.adapters.dialects.openai_chat.messages import text_content, turn_messages
from ccr.adapters.dialects.openai_chat.parts import Losses, Message
from ccr.adapters.dialects.openai_chat.reasoning import reasoning_fields, thinks
from ccr.adapters.dialects.openai_chat.schemas import write_tool
from ccr.adapters.dialects.openai_chat.search import ask_hosted, reasoning_beside
from ccr.adapters.dialects.openai_chat.tools import choose, offered
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.system_turns import BILLING, fold_system
from ccr.adapters.wire.tool_changes import applied
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.conversation import Text, ToolChoice
from ccr.domain.fidelity import Loss
from ccr.domain.pairing import pair_tools
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ccr.domain.conversation import Conversation, Turn
    from ccr.domain.models import ModelProfile

__all__ = ["Written", "write_request", "written_turn"]

Written: TypeAlias = tuple[bytes, tuple[Loss, ...]]
"""The messages of a turn, comma-separated, and what was lost in them."""

_MAX_STOPS = 4


def written_turn(turn: Turn, profile: ModelProfile) -> Written:
    """Write one turn; nothing of it if nothing can be said here. Pure and context-free."""
    losses: Losses = {}
    return b",".join(map(CODEC.encode, turn_messages(turn, profile, losses))), tuple(losses)


def write_request(
    conversation: Conversation,
    profile: ModelProfile,
    write: Callable[[Turn, ModelProfile], Written] = written_turn,
) -> Encoded:
    """Return the whole request, and what could not be carried over."""
    losses: Losses = {}
    own = conversation.dialect == NAME
    conversation = applied(conversation)
    reasoning = reasoning_beside(conversation.tools, conversation.reasoning, profile, losses)
    if reasoning is not conversation.reasoning:
        conversation = evolve(conversation, reasoning=reasoning)
    max_tokens = _max_tokens(conversation, profile)
    tool_fields, must = _tools(conversation, profile, losses, own=own)
    format_fields, shape = _response_format(conversation, profile, losses, own=own)
    fields: Message = {
        "model": conversation.model,
        "messages": _messages(conversation, profile, [line for line in (shape, must) if line], losses, write),
        **tool_fields,
    }
    if max_tokens is not None:
        fields[profile.max_tokens_field] = max_tokens
    fields.update(_sampling(conversation, profile, losses, own=own))
    fields.update(_stop(conversation, profile, losses))
    fields.update(reasoning_fields(conversation.reasoning, profile, max_tokens))
    fields.update(format_fields)
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
    conversation: Conversation,
    profile: ModelProfile,
    lines: Sequence[str],
    losses: Losses,
    write: Callable[[Turn, ModelProfile], Written],
) -> Json:
    """``lines`` stand at the end of the system: there they do not move as the history grows."""
    said = [block for block in conversation.system if not block.text.startswith(BILLING)]
    system = text_content((*said, *map(Text, lines)), profile, "\n\n")
    messages = [CODEC.encode({"role": "system", "content": system})] if system else []
    turns = pair_tools(conversation.turns)
    if not profile.system_in_turns:
        turns = fold_system(turns)
    for turn in turns:
        written, lost = write(turn, profile)
        if written:
            messages.append(written)
        if lost:
            losses.update(dict.fromkeys(lost))
    return Json(b"[" + b",".join(messages) + b"]")


def _tools(
    conversation: Conversation, profile: ModelProfile, losses: Losses, *, own: bool
) -> tuple[Message, str]:
    """Return the fields, and a line for the system."""
    functions, hosted = offered(conversation, profile, losses)
    asked = ask_hosted(hosted, profile, losses)
    choice = conversation.tool_choice
    if choice is not None and choice.name in asked.names:
        choice = ToolChoice(parallel=choice.parallel)  # the provider searches when it sees fit
    chosen, line = choose(choice, functions, profile, losses, thinking=thinks(conversation.reasoning))
    entries = [*(write_tool(tool, profile, losses, own=own) for tool in functions), *asked.entries]
    fields: Message = {"tools": Json(CODEC.encode(entries)), **chosen} if entries else {}
    return {**fields, **asked.fields}, line


def _response_format(
    conversation: Conversation, profile: ModelProfile, losses: Losses, *, own: bool
) -> tuple[Message, str]:
    """Return the field, and a line for the system that says what no field can."""
    output = conversation.output_format
    if output is None:
        return {}, ""
    if output.schema is not None and profile.output_format == "json_schema":
        schema: Message = {"name": output.name, "schema": output.schema}
        if output.strict is not None:
            schema["strict"] = output.strict
        return {"response_format": {"type": "json_schema", "json_schema": schema}}, ""
    any_object: Message = {"response_format": {"type": "json_object"}} if profile.output_format else {}
    if output.schema is None and any_object:
        # OpenAI refuses this mode unless the word stands somewhere; its own callers know that.
        return any_object, "" if own else "Answer with a JSON object."
    losses[Loss("output_format", "as text")] = None
    if output.schema is None:
        return {}, "Answer with a JSON object and nothing else."
    text = output.schema.data.decode()
    return any_object, f"Answer with a JSON object that fits this schema, and nothing else: {text}"


def _stop(conversation: Conversation, profile: ModelProfile, losses: Losses) -> Message:
    most = _MAX_STOPS if profile.max_stop is None else profile.max_stop
    if len(conversation.stop) > most:
        losses[Loss("stop", "first four" if most == _MAX_STOPS else f"first {most}")] = None
    kept = list(conversation.stop[:most])
    return {"stop": kept} if kept else {}


def _max_tokens(conversation: Conversation, profile: ModelProfile) -> int | None:
    """Claude Code asks for 128000 of any model (P14)."""
    asked = conversation.max_tokens
    if asked is None or profile.max_output is None:
        return asked
    return min(asked, profile.max_output)


def _sampling(conversation: Conversation, profile: ModelProfile, losses: Losses, *, own: bool) -> Message:
    sampling = conversation.sampling
    fields: Message = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    if not profile.samples(thinking=thinks(conversation.reasoning)):
        if any(value is not None for value in fields.values()):
            losses[Loss("sampling")] = None
        fields = {}
    if own:  # not OpenAI's, but many know it, and whoever speaks this dialect knows who
        fields["top_k"] = sampling.top_k
    elif sampling.top_k is not None:
        losses[Loss("top_k")] = None
    fields["seed"] = sampling.seed
    fields["presence_penalty"] = sampling.presence_penalty
    fields["frequency_penalty"] = sampling.frequency_penalty
    return {name: value for name, value in fields.items() if value is not None}


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
