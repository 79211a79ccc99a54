"""A caller's Responses request: parsed once, its meaning built only if somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from typing_extensions import override

from ccr.adapters.dialects.openai_responses import read_items, read_tools
from ccr.adapters.dialects.openai_responses.echo import echo_of
from ccr.adapters.dialects.openai_responses.facts import Fields, facts_of, get, read_reasoning
from ccr.adapters.dialects.openai_responses.grouping import grouped, leading_system
from ccr.adapters.dialects.openai_responses.wire import NAME, STRING, Raw, absent, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid, opened, prefixed
from ccr.adapters.wire.envelope import FOREIGN
from ccr.adapters.wire.parsed import Parsed
from ccr.adapters.wire.retarget import retarget
from ccr.domain.conversation import Conversation, OutputFormat, Sampling, Text, Turn
from ccr.domain.errors import InvalidRequestError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ccr.adapters.dialects.openai_responses.echo import Echo
    from ccr.application.call import Call
    from ccr.domain.conversation import Tool
    from ccr.domain.facts import RequestFacts
    from ccr.domain.verbatim import Json

__all__ = ["ResponsesCall", "read_call"]

_WORDS = frozenset(
    {
        "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "stream",
        "temperature", "top_p", "reasoning", "text", "prompt_cache_key", "metadata", "safety_identifier", "service_tier",
        "store", "background", "previous_response_id", "conversation",
    }
)  # fmt: skip
"""Top-level fields that the vocabulary has words for; every other one is carried in ``Conversation.extra``."""

_STATE = {
    "previous_response_id": "this gateway keeps no responses: send the whole conversation, with store false",
    "conversation": "this gateway keeps no conversations: send the whole conversation, with store false",
}
_BACKGROUND = "this gateway answers while you wait: leave background out"


class _Format(Struct, gc=False):
    type: str = ""
    name: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None
    description: str | None = None


class _Text(Struct, gc=False):
    format: _Format | None = None


_FLOAT = msgspec.json.Decoder(float | None)
_BOOL = msgspec.json.Decoder(bool | None)
_TEXT = msgspec.json.Decoder(str | None)
_FORMAT = msgspec.json.Decoder(_Text)


def read_call(
    call: Call,
    read_turn: Callable[[bytes], Turn] = read_items.read_turn,
    tools: Callable[[bytes], tuple[Tool, ...]] = read_tools.read_tools,
) -> ResponsesCall:
    """Parse a call whose body is loaded. Raises InvalidRequestError naming the parameter."""
    body = call.body or b""
    top = opened(body)
    if "model" not in top:
        raise invalid("model", "is required")
    model = checked(STRING, top["model"], "model")
    if not model.strip():
        raise invalid("model", "must not be empty")
    for name, why in _STATE.items():
        if name in top and not absent(top[name]):
            raise invalid(name, why)
    if get(top, "background", _BOOL):
        raise invalid("background", _BACKGROUND)
    given = top.get("input")
    if given is None or absent(given):
        raise invalid("input", "is required")
    if opening(given) not in (b'"', b"["):
        raise invalid("input", "must be a string or a list of items")
    items = elements(given, "input") if opening(given) == b"[" else []
    fields = Fields(body, top, items)
    return ResponsesCall(
        fields, model, facts_of(fields, model, call.headers, call.operation), read_turn, tools
    )


class ResponsesCall(Parsed):
    """:class:`ccr.application.ports.dialect.ParsedCall` of the Responses API."""

    __slots__ = ("_fields",)

    def __init__(
        self,
        fields: Fields,
        model: str,
        facts: RequestFacts,
        read_turn: Callable[[bytes], Turn],
        tools: Callable[[bytes], tuple[Tool, ...]],
    ) -> None:
        super().__init__(model, facts, read_turn, tools)
        self._fields = fields

    @property
    def foreign(self) -> bool:
        """Whether it carries state that another provider sealed, or reasoning that nobody sealed."""
        return FOREIGN in self._fields.body

    @property
    def plain(self) -> bool:
        """Whether everybody who speaks this dialect takes it as it is."""
        return not self.foreign

    @property
    def echo(self) -> Echo:
        """What the reply repeats, and the names of tools that its writer must know."""
        return echo_of(self._fields.top)

    def retarget(self, model: str) -> bytes:
        """Return the body as it came but for another model."""
        return retarget(self._fields.body, self._fields.top, model)

    @override
    def _built(self) -> Conversation:
        top, facts = self._fields.top, self.facts
        instructions = get(top, "instructions", _TEXT)
        leading, turns = leading_system(self._turns())
        choice, more = read_tools.read_choice(top.get("tool_choice"), get(top, "parallel_tool_calls", _BOOL))
        identity = get(top, "safety_identifier", _TEXT)
        return Conversation(
            model=self._model,
            turns=grouped(turns),
            system=((Text(instructions),) if instructions else ()) + leading,
            tools=self._tools(),
            tool_choice=choice,
            sampling=Sampling(get(top, "temperature", _FLOAT), get(top, "top_p", _FLOAT)),
            reasoning=read_reasoning(top),
            output_format=_output_format(top),
            service_tier=get(top, "service_tier", _TEXT),
            cache_key=get(top, "prompt_cache_key", _TEXT),
            max_tokens=facts.max_tokens,
            stream=facts.stream,
            user=identity or get(top, "user", _TEXT),
            metadata=_json(top.get("metadata")),
            dialect=NAME,
            extra=_extra(top, more_choice=more),
        )

    def _turns(self) -> list[Turn]:
        given = self._fields.top["input"]
        if opening(given) == b'"':
            return [read_items.read_text_turn(checked(STRING, given, "input"))]
        return [self._turn(index, raw) for index, raw in enumerate(self._fields.items)]

    def _turn(self, index: int, raw: Raw) -> Turn:
        try:
            return self._read_turn(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, f"input[{index}]") from error

    def _tools(self) -> tuple[Tool, ...]:
        raw = self._fields.top.get("tools")
        if raw is None or absent(raw):
            return ()
        try:
            return self._read_tools(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, "tools") from error


def _json(raw: Raw | None) -> Json | None:
    return None if raw is None or absent(raw) else json.json_of(raw)


def _output_format(top: Mapping[str, Raw]) -> OutputFormat | None:
    text = get(top, "text", _FORMAT)
    wire = text.format if text else None
    if wire is None or wire.type not in ("json_schema", "json_object"):
        return None
    if wire.type == "json_object":
        return OutputFormat()
    if opening(wire.schema) != b"{":
        raise invalid("text.format.schema", "must be a JSON schema object")
    return OutputFormat(json.json_of(wire.schema), wire.name or "output", wire.strict)


def _extra(top: Mapping[str, Raw], *, more_choice: bool) -> tuple[tuple[str, Json], ...]:
    """Carry what has no word; settings too that say more than the words do."""
    names = [name for name in top if name not in _WORDS and not absent(top[name])]
    names += [name for name in ("reasoning", "text") if name in top and not absent(top[name])]
    if more_choice:
        names.append("tool_choice")
    return tuple((name, json.json_of(top[name])) for name in names)
