"""A conversation as a Responses request. Nothing is stored at the provider, so everything is said each time."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, Wire
from ccr.adapters.dialects.openai_responses.write_items import Writer, custom_calls
from ccr.adapters.dialects.openai_responses.write_tools import choose, write_tools
from ccr.adapters.wire import json
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.system_turns import BILLING, fold_system
from ccr.adapters.wire.tool_changes import applied
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.conversation import ReasoningMode
from ccr.domain.effort import clamp, effort_of
from ccr.domain.models import ReasoningStyle
from ccr.domain.pairing import pair_tools
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.adapters.dialects.openai_responses.write_items import Item
    from ccr.domain.conversation import Conversation, OutputFormat, Reasoning, Turn
    from ccr.domain.models import ModelProfile

__all__ = ["write_request", "write_turn"]

_LEAST_OUTPUT = 16
"""Tokens; the API refuses a smaller ``max_output_tokens``."""
_LONGEST_KEY = 64
_ENCRYPTED = "reasoning.encrypted_content"
_SOURCES = "web_search_call.action.sources"
_OVERRIDDEN = frozenset({"reasoning", "include"})
"""Fields of the caller's own that are merged rather than repeated."""


def write_turn(turn: Turn, profile: ModelProfile) -> bytes:
    """Return the items of one turn, comma-separated; empty if nothing of it can be said here."""
    writer = Writer(profile, custom_calls((turn,)))
    return b",".join(map(json.encode_wire, writer.items(turn)))


def write_request(conversation: Conversation, profile: ModelProfile) -> Encoded:
    """Return the whole request, and what could not be carried over."""
    conversation = applied(conversation)
    writer = Writer(profile, custom_calls(conversation.turns))
    own = dict(conversation.extra) if conversation.dialect == NAME else {}
    tools = write_tools(conversation, writer)
    choice, said = choose(conversation.tool_choice, tools, writer)
    fields: Wire = {"model": conversation.model}
    instructions = _instructions(conversation)
    items = _input(conversation, writer, said)
    if instructions and not items:  # there must be some input
        items.append({"role": "developer", "content": instructions})
    elif instructions:
        fields["instructions"] = instructions
    fields["input"] = Json(json.encode_wire(items))
    if tools:
        fields["tools"] = Json(json.encode_wire([item for _, item in tools]))
        fields.update(choice)
    fields.update(_settings(conversation, writer, own.get("reasoning")))
    include = _include(conversation, profile, searches=any(tool.name == "web_search" for tool, _ in tools))
    if include:
        fields["include"] = include
    fields["store"] = False
    if conversation.dialect == NAME:
        fields.update(_own(conversation, own))
    return Encoded(Payload(fields, CODEC), tuple(writer.losses))


def _settings(conversation: Conversation, writer: Writer, own_reasoning: Json | None) -> Wire:
    fields: Wire = {
        "max_output_tokens": _max_tokens(conversation, writer.profile),
        **_sampling(conversation, writer),
        "reasoning": _reasoning(conversation.reasoning, writer.profile, own_reasoning) or None,
        "prompt_cache_key": _cache_key(conversation) or None,
        "stream": conversation.stream or None,
    }
    if conversation.output_format is not None:
        fields["text"] = {"format": _format(conversation.output_format)}
    if conversation.stop:
        writer.lose("stop")
    return {name: value for name, value in fields.items() if value is not None}


def _instructions(conversation: Conversation) -> str:
    texts = (block.text for block in conversation.system if not block.text.startswith(BILLING))
    return "\n\n".join(text for text in texts if text)


def _input(conversation: Conversation, writer: Writer, said: Wire | None) -> list[Item]:
    turns = pair_tools(conversation.turns)
    if not writer.profile.system_in_turns:
        turns = fold_system(turns)
    items: list[Item] = [item for turn in turns for item in writer.items(turn)]
    if said is not None:
        items.append(said)
    return items


def _max_tokens(conversation: Conversation, profile: ModelProfile) -> int | None:
    asked = conversation.max_tokens
    if asked is None:
        return None
    return max(_LEAST_OUTPUT, asked if profile.max_output is None else min(asked, profile.max_output))


def _sampling(conversation: Conversation, writer: Writer) -> Wire:
    sampling, profile = conversation.sampling, writer.profile
    fields: Wire = {"temperature": sampling.temperature, "top_p": sampling.top_p}
    fields = {name: value for name, value in fields.items() if value is not None}
    # These models think unless they are told not to.
    thinks = profile.reasoning is not ReasoningStyle.NONE and not (
        conversation.reasoning.mode is ReasoningMode.OFF and profile.reasoning_off
    )
    if fields and not profile.samples(thinking=thinks):
        writer.lose("sampling")
        fields = {}
    for name in ("top_k", "seed", "presence_penalty", "frequency_penalty"):
        if getattr(sampling, name) is not None:
            writer.lose(name)
    return fields


def _reasoning(reasoning: Reasoning, profile: ModelProfile, said: Json | None) -> Wire:
    """Return how to think; ``said`` is the caller's own field, of which modes and the like are kept."""
    if profile.reasoning is ReasoningStyle.NONE:
        return {}
    more = dict(json.object_of(said.data) or {}) if said is not None else {}
    if reasoning.mode is ReasoningMode.UNSET and reasoning.effort is None:
        return more
    if reasoning.mode is ReasoningMode.OFF:
        least = profile.efforts[0].value if profile.efforts else None
        effort = "none" if profile.reasoning_off else least
        more.pop("summary", None)
        return {**more, **({"effort": effort} if effort else {})}
    asked = reasoning.effort
    if asked is None and reasoning.budget is not None:
        asked = effort_of(reasoning.budget)
    level = clamp(asked, profile.efforts) if asked else None
    if level is not None:
        more["effort"] = level.value
    else:
        more.pop("effort", None)
    if reasoning.visible is not False:
        more.setdefault("summary", "auto")
    return more


def _include(conversation: Conversation, profile: ModelProfile, *, searches: bool) -> list[str]:
    wanted = [_ENCRYPTED] if profile.reasoning is not ReasoningStyle.NONE else []
    if searches:
        wanted.append(_SOURCES)
    if conversation.dialect == NAME:
        said = next((extra for name, extra in conversation.extra if name == "include"), None)
        found = json.decode(said.data) if said is not None else []
        wanted += [word for word in (found if isinstance(found, list) else []) if isinstance(word, str)]
    return list(dict.fromkeys(wanted))


def _cache_key(conversation: Conversation) -> str:
    """Return what routes requests of one session to one cache.

    Claude Code says its session in ``metadata.user_id``; who the user is stays with us.
    """
    key = conversation.cache_key or ""
    if not key and not conversation.user:
        return ""
    if key and len(key) <= _LONGEST_KEY:
        return key
    return sha256((key or conversation.user or "").encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _format(output: OutputFormat) -> Wire:
    if output.schema is None:
        return {"type": "json_object"}
    made: Wire = {"type": "json_schema", "name": output.name, "schema": output.schema}
    if output.strict is not None:
        made["strict"] = output.strict
    return made


def _own(conversation: Conversation, own: Mapping[str, Json]) -> Wire:
    """What only means something to the dialect it came from; ids of users of others are nobody's business here."""
    fields: Wire = {name: value for name, value in own.items() if name not in _OVERRIDDEN}
    if not conversation.tools:
        fields.pop("tool_choice", None)
    if conversation.user and "user" not in fields:
        fields["safety_identifier"] = conversation.user
    if conversation.metadata is not None:
        fields["metadata"] = conversation.metadata
    if conversation.service_tier:
        fields["service_tier"] = conversation.service_tier
    return fields
