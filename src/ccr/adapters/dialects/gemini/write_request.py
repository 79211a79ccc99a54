"""A conversation as a request of generateContent. Marks of caches are left out: Gemini caches prefixes by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.assemble import assembled
from ccr.adapters.dialects.gemini.thinking import thinking_config
from ccr.adapters.dialects.gemini.wire import NAME, Wire
from ccr.adapters.dialects.gemini.write_contents import Writer, openapi_json, role_of
from ccr.adapters.dialects.gemini.write_tools import adapted_schema, offer, tool_fields
from ccr.adapters.wire import json
from ccr.adapters.wire.json import CODEC
from ccr.adapters.wire.system_turns import BILLING, fold_system
from ccr.adapters.wire.tool_changes import applied
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.models import ReasoningStyle, SchemaStyle
from ccr.domain.pairing import pair_tools
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import Conversation, OutputFormat, Turn
    from ccr.domain.models import ModelProfile

__all__ = ["write_request", "write_turn"]

_MAX_STOPS = 5
_SAMPLING = (
    ("temperature", "temperature"),
    ("top_p", "topP"),
    ("top_k", "topK"),
    ("seed", "seed"),
    ("presence_penalty", "presencePenalty"),
    ("frequency_penalty", "frequencyPenalty"),
)
_JSON = "application/json"
_MERGED = frozenset({"generationConfig", "toolConfig"})
"""Fields of the caller's own that are merged rather than repeated."""


def write_turn(turn: Turn, profile: ModelProfile) -> bytes:
    """Return one turn as a content; empty if nothing of it can be said here.

    A function's response has the id of its call where ``write_request`` puts the name, which stands in another turn.
    """
    parts = Writer(profile).parts(turn)
    return json.encode_wire({"role": role_of(turn.role), "parts": parts}) if parts else b""


def write_request(
    conversation: Conversation, profile: ModelProfile, openapi: Callable[[bytes], bytes] = openapi_json
) -> Encoded:
    """Return the whole request, and what could not be carried over."""
    conversation = applied(conversation)
    writer = Writer(profile, openapi)
    own = dict(conversation.extra) if conversation.dialect == NAME else {}
    offered = offer(conversation, writer)
    config, said = _generation(
        conversation, writer, own.get("generationConfig"), functions=bool(offered.functions)
    )
    fields: Wire = {"model": conversation.model}
    system = [
        block.text for block in conversation.system if block.text and not block.text.startswith(BILLING)
    ]
    if system or said:
        fields["systemInstruction"] = {"parts": [{"text": text} for text in (*system, *said)]}
    contents = assembled(fold_system(pair_tools(conversation.turns)), writer)
    fields["contents"] = Json(json.encode_wire(contents))
    tools = tool_fields(offered, conversation.tool_choice, writer, own.get("toolConfig"))
    fields.update((name, Json(json.encode_wire(value))) for name, value in tools.items())
    if config:
        fields["generationConfig"] = Json(json.encode_wire(config))
    fields.update((name, value) for name, value in own.items() if name not in _MERGED)
    if conversation.stream:
        fields["stream"] = True  # for the door, which says it in the address
    return Encoded(Payload(fields, CODEC), tuple(writer.losses))


def _generation(
    conversation: Conversation, writer: Writer, own: Json | None, *, functions: bool
) -> tuple[Wire, list[str]]:
    """Return the ``generationConfig``, and lines for the system."""
    profile, sampling = writer.profile, conversation.sampling
    config: Wire = dict(json.object_of(own.data) or {}) if own is not None else {}
    config.update(
        (name, value) for field, name in _SAMPLING if (value := getattr(sampling, field)) is not None
    )
    max_tokens = conversation.max_tokens
    if max_tokens is not None:
        max_tokens = max_tokens if profile.max_output is None else min(max_tokens, profile.max_output)
        config["maxOutputTokens"] = max_tokens
    most = _MAX_STOPS if profile.max_stop is None else profile.max_stop
    if len(conversation.stop) > most:
        writer.lose("stop", f"first {most}")
    if conversation.stop[:most]:
        config["stopSequences"] = list(conversation.stop[:most])
    output, said = _output_format(conversation.output_format, writer, functions=functions)
    config.update(output)
    thinking = thinking_config(conversation.reasoning, profile, max_tokens)
    if thinking:
        config["thinkingConfig"] = thinking
    return config, said


def _output_format(output: OutputFormat | None, writer: Writer, *, functions: bool) -> tuple[Wire, list[str]]:
    if output is None:
        return {}, []
    profile = writer.profile
    # Before Gemini 3 a JSON reply and functions exclude each other.
    if not profile.output_format or (functions and profile.reasoning is not ReasoningStyle.GEMINI_LEVEL):
        writer.lose("output_format", "as text")
        return {}, [_asked_in_words(output)]
    if output.schema is None:
        return {"responseMimeType": _JSON}, []
    if profile.output_format != "json_schema":
        writer.lose("output_format", "as text")
        return {"responseMimeType": _JSON}, [_asked_in_words(output)]
    field = "responseSchema" if profile.schema is SchemaStyle.OPENAPI else "responseJsonSchema"
    return {"responseMimeType": _JSON, field: adapted_schema(output.schema, writer)}, []


def _asked_in_words(output: OutputFormat) -> str:
    if output.schema is None:
        return "Answer with a JSON object and nothing else."
    return f"Answer with a JSON object that fits this schema, and nothing else: {output.schema.data.decode()}"
