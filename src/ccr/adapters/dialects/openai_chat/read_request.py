"""A caller's chat completions request: parsed once, its meaning built only if somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from typing_extensions import override

from ccr.adapters.dialects.openai_chat.carriers import is_foreign
from ccr.adapters.dialects.openai_chat.facts import Fields, facts_of
from ccr.adapters.dialects.openai_chat.read_messages import joined, leading_system, read_turn
from ccr.adapters.dialects.openai_chat.read_options import (
    get,
    read_format,
    read_reasoning,
    read_sampling,
    read_stop,
)
from ccr.adapters.dialects.openai_chat.read_tools import read_choice, read_functions, read_search, read_tools
from ccr.adapters.dialects.openai_chat.request_wire import STRING, Raw, is_null, opening
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid, opened, prefixed
from ccr.adapters.wire.parsed import Parsed
from ccr.adapters.wire.retarget import retarget
from ccr.domain.conversation import Conversation, FreeformTool
from ccr.domain.errors import InvalidRequestError
from ccr.domain.value import value

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool, Turn
    from ccr.domain.facts import RequestFacts
    from ccr.domain.verbatim import Json

__all__ = ["ChatCall", "ChatEcho", "read_call", "read_turn"]

_INT = msgspec.json.Decoder(int)


class _StreamOptions(msgspec.Struct, gc=False):
    include_usage: bool | None = None


_STREAM_OPTIONS = msgspec.json.Decoder(_StreamOptions)

_WORDS = frozenset(
    {
        "model", "messages", "tools", "tool_choice", "parallel_tool_calls", "functions", "function_call", "max_tokens",
        "max_completion_tokens", "temperature", "top_p", "top_k", "seed", "presence_penalty", "frequency_penalty", "stop",
        "response_format", "reasoning_effort", "reasoning", "thinking", "enable_thinking", "thinking_budget",
        "service_tier", "user", "metadata", "prompt_cache_key", "stream", "stream_options", "n", "web_search_options",
    }
)  # fmt: skip
"""Top-level fields that the vocabulary has words for; every other one is carried in ``Conversation.extra``."""


@value
class ChatEcho:
    """What the writers need of the request.

    Attributes:
        include_usage: a stream is to end in a chunk with the usage.
        freeform: names of tools whose input is text; their calls are ``custom``.
        legacy: the request declared ``functions``; the reply holds a ``function_call``.
    """

    include_usage: bool = False
    freeform: frozenset[str] = frozenset()
    legacy: bool = False


def read_call(
    call: Call,
    read_turn: Callable[[bytes], Turn] = read_turn,
    read_tools: Callable[[bytes], tuple[Tool, ...]] = read_tools,
) -> ChatCall:
    """Parse a call whose body is loaded. Raises InvalidRequestError."""
    body = call.body or b""
    top = opened(body)
    if "model" not in top:
        raise invalid("model", "is required")
    model = checked(STRING, top["model"], "model")
    if not model.strip():
        raise invalid("model", "must not be empty")
    if "messages" not in top:
        raise invalid("messages", "is required")
    if opening(top["messages"]) != b"[":
        raise invalid("messages", "must be a list")
    fields = Fields(body, top, elements(top["messages"], "messages"))
    if not fields.messages:
        raise invalid("messages", "must not be empty")
    if (get(top, "n", _INT) or 1) > 1:
        raise invalid("n", "one choice only: send the request again for another")
    facts = facts_of(fields, model, call.headers, call.operation)
    return ChatCall(fields, model, facts, read_turn, read_tools)


class ChatCall(Parsed):
    """:class:`ccr.application.ports.dialect.ParsedCall` of chat completions."""

    __slots__ = ("_fields", "_foreign")

    def __init__(
        self,
        fields: Fields,
        model: str,
        facts: RequestFacts,
        read_turn: Callable[[bytes], Turn],
        read_tools: Callable[[bytes], tuple[Tool, ...]],
    ) -> None:
        super().__init__(model, facts, read_turn, read_tools)
        self._fields = fields
        self._foreign = is_foreign(fields.body)

    @property
    def foreign(self) -> bool:
        """Whether it carries state that another provider sealed."""
        return self._foreign

    @property
    def plain(self) -> bool:
        """Whether it may go out as it came: it holds nothing of ours."""
        return not self._foreign

    @property
    def echo(self) -> ChatEcho:
        """What the writers of the reply need. Raises InvalidRequestError."""
        top = self._fields.top
        options = get(top, "stream_options", _STREAM_OPTIONS)
        freeform: frozenset[str] = frozenset()
        if b'"custom"' in self._fields.body:
            tools = self.conversation().tools
            freeform = frozenset(tool.name for tool in tools if isinstance(tool, FreeformTool))
        include = options is not None and options.include_usage is True
        return ChatEcho(include, freeform, "functions" in top)

    def retarget(self, model: str) -> bytes:
        """Return the body as it came but for another model."""
        return retarget(self._fields.body, self._fields.top, model)

    @override
    def _built(self) -> Conversation:
        top, facts = self._fields.top, self.facts
        system, turns = leading_system(
            self._turn(index, raw) for index, raw in enumerate(self._fields.messages)
        )
        choice = read_choice(top)
        tools = self._tools()
        if choice.allowed is not None:
            tools = tuple(tool for tool in tools if tool.name in choice.allowed)
        return Conversation(
            model=self._model,
            turns=joined(turns),
            system=system,
            tools=tools,
            tool_choice=choice.choice,
            sampling=read_sampling(top),
            reasoning=read_reasoning(top),
            output_format=read_format(top),
            service_tier=get(top, "service_tier", STRING),
            cache_key=get(top, "prompt_cache_key", STRING),
            max_tokens=facts.max_tokens,
            stop=read_stop(top),
            stream=facts.stream,
            user=get(top, "user", STRING),
            metadata=None if is_null(top.get("metadata")) else json.json_of(top["metadata"]),
            dialect=NAME,
            extra=_extra(top),
        )

    def _turn(self, index: int, raw: Raw) -> Turn:
        try:
            return self._read_turn(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, f"messages[{index}]") from error

    def _tools(self) -> tuple[Tool, ...]:
        top = self._fields.top
        tools = self._listed("tools", self._read_tools) + self._listed("functions", read_functions)
        search = read_search(top.get("web_search_options"))
        return tools if search is None else (*tools, search)

    def _listed(self, name: str, read: Callable[[bytes], tuple[Tool, ...]]) -> tuple[Tool, ...]:
        raw = self._fields.top.get(name)
        if raw is None or is_null(raw):
            return ()
        try:
            return read(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, name) from error


def _extra(top: Mapping[str, Raw]) -> tuple[tuple[str, Json], ...]:
    return tuple(
        (name, json.json_of(raw)) for name, raw in top.items() if name not in _WORDS and not is_null(raw)
    )
