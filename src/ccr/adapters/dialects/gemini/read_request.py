"""A caller's request of generateContent: parsed once, its meaning built only if somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from ccr.adapters.dialects.gemini import read_contents, read_tools
from ccr.adapters.dialects.gemini.facts import INT, Body, facts_of, open_body, read_reasoning, read_target
from ccr.adapters.dialects.gemini.read_schemas import json_schema
from ccr.adapters.dialects.gemini.seals import FOREIGN
from ccr.adapters.dialects.gemini.turns import arranged
from ccr.adapters.dialects.gemini.wire import NAME, STRING, Raw, fields, get, object_of, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import invalid, prefixed
from ccr.adapters.wire.parsed import Parsed
from ccr.adapters.wire.retarget import retarget
from ccr.domain.conversation import Conversation, OutputFormat, Sampling, Text, Turn
from ccr.domain.errors import InvalidRequestError
from ccr.domain.value import value
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool
    from ccr.domain.facts import RequestFacts

__all__ = ["NO_ECHO", "Echo", "GeminiCall", "read_call"]

_WORDS = frozenset({"model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig"})
"""Top-level fields that are read; every other one is carried in ``Conversation.extra``."""
_SAMPLING = ("temperature", "topP", "topK", "presencePenalty", "frequencyPenalty")
_SCHEMAS = ("responseSchema", "responseJsonSchema")
_CONFIG = frozenset({*_SAMPLING, *_SCHEMAS, "seed", "maxOutputTokens", "stopSequences"})
"""Fields of ``generationConfig`` that the vocabulary has words for."""
_JSON_TYPE = "application/json"

_FLOAT = msgspec.json.Decoder(float)
_STRINGS = msgspec.json.Decoder(tuple[str, ...])


@value
class Echo:
    """How the reply is to be written: as server-sent events or as one array, with thoughts or without."""

    sse: bool = True
    thoughts: bool = False


NO_ECHO = Echo()


def read_call(
    call: Call,
    read_turn: Callable[[bytes], Turn] = read_contents.read_turn,
    tools: Callable[[bytes], tuple[Tool, ...]] = read_tools.read_tools,
) -> GeminiCall:
    """Parse a call whose body is loaded. Raises InvalidRequestError naming the JSON path."""
    model, stream, is_sse = read_target(call)
    body = open_body(call.body or b"")
    facts = facts_of(call, body, model, stream=stream)
    return GeminiCall(body, model, facts, read_turn, tools, is_sse=is_sse)


class GeminiCall(Parsed):
    """:class:`ccr.application.ports.dialect.ParsedCall` of generateContent."""

    __slots__ = ("_body", "_is_sse")

    def __init__(
        self,
        body: Body,
        model: str,
        facts: RequestFacts,
        read_turn: Callable[[bytes], Turn],
        tools: Callable[[bytes], tuple[Tool, ...]],
        *,
        is_sse: bool,
    ) -> None:
        super().__init__(model, facts, read_turn, tools)
        self._body = body
        self._is_sse = is_sse

    @property
    def foreign(self) -> bool:
        """Whether it carries state that another provider sealed, or wants a stream that providers are not asked for.

        Providers stream server-sent events to us; an array has to be written anew.
        """
        return FOREIGN in self._body.data or (self.facts.stream and not self._is_sse)

    @property
    def plain(self) -> bool:
        """Whether everybody who speaks this dialect takes it as it is."""
        return not self.foreign

    @property
    def echo(self) -> Echo:
        """How the reply is to be written."""
        return Echo(self._is_sse or not self.facts.stream, self._reasoning_visible())

    def retarget(self, model: str) -> bytes:
        """Return the body as it came, for the model stands in the path; one that repeats it is told the new one."""
        raw = self._body.raw
        if "model" not in raw:
            return self._body.data
        prefix = "models/" if bytes(raw["model"]).startswith(b'"models/') else ""
        return retarget(self._body.data, raw, prefix + model)

    def _reasoning_visible(self) -> bool:
        return read_reasoning(self._body.config).visible is True

    @override
    def _built(self) -> Conversation:
        top, config = self._body.top, self._body.config
        choice, more = read_tools.read_choice(top.get("toolConfig"))
        return Conversation(
            model=self._model,
            turns=arranged(self._turn(index, raw) for index, raw in enumerate(self._body.contents)),
            system=tuple(map(Text, self._system())),
            tools=self._tools(),
            tool_choice=choice,
            sampling=_sampling(config),
            reasoning=read_reasoning(config),
            output_format=_output_format(config),
            max_tokens=self.facts.max_tokens,
            stop=get(config, "stopSequences", _STRINGS, "generationConfig") or (),
            stream=self.facts.stream,
            dialect=NAME,
            extra=tuple(_extra(top, config, more_choice=more)),
        )

    def _system(self) -> Iterator[str]:
        raw = self._body.top.get("systemInstruction")
        if raw is None:
            return
        if opening(raw) == b'"':
            yield STRING.decode(raw)
        else:
            yield from read_contents.text_parts(raw, "systemInstruction")

    def _turn(self, index: int, raw: Raw) -> Turn:
        try:
            return self._read_turn(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, f"contents[{index}]") from error

    def _tools(self) -> tuple[Tool, ...]:
        raw = self._body.top.get("tools")
        if raw is None:
            return ()
        try:
            return self._read_tools(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, "tools") from error


def _sampling(config: dict[str, Raw]) -> Sampling:
    temperature, top_p, top_k, presence, frequency = (
        get(config, name, _FLOAT, "generationConfig") for name in _SAMPLING
    )
    return Sampling(
        temperature=temperature,
        top_p=top_p,
        top_k=None if top_k is None else int(top_k),
        seed=get(config, "seed", INT, "generationConfig"),
        presence_penalty=presence,
        frequency_penalty=frequency,
    )


def _output_format(config: dict[str, Raw]) -> OutputFormat | None:
    for name in _SCHEMAS:
        raw = config.get(name)
        if raw is None:
            continue
        if opening(raw) != b"{":
            raise invalid(f"generationConfig.{name}", "must be a schema object")
        if name == "responseJsonSchema":
            return OutputFormat(json.json_of(raw))
        return OutputFormat(Json(json.encode_wire(json_schema(object_of(raw)))))
    is_json = get(config, "responseMimeType", STRING, "generationConfig") == _JSON_TYPE
    return OutputFormat() if is_json else None


def _extra(top: dict[str, Raw], config: dict[str, Raw], *, more_choice: bool) -> Iterator[tuple[str, Json]]:
    """Carry what has no word; of settings what says more than the words do."""
    for name, raw in top.items():
        if name not in _WORDS:
            yield name, json.json_of(raw)
    rest = {name: Raw(bytes(raw)) for name, raw in config.items() if name not in _CONFIG}
    if bytes(rest.get("responseMimeType", b"")) == b'"application/json"':
        del rest["responseMimeType"]
    if rest:
        yield "generationConfig", Json(json.encode_wire(rest))
    if "toolConfig" in top:
        settings = {name: Raw(bytes(raw)) for name, raw in fields(top["toolConfig"], "toolConfig").items()}
        if not more_choice:
            settings.pop("functionCallingConfig", None)
        if settings:
            yield "toolConfig", Json(json.encode_wire(settings))
