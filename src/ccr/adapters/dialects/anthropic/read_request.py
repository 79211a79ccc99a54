"""A caller's Messages request: parsed once, its meaning built only if somebody asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import msgspec
from typing_extensions import override

from ccr.adapters.dialects.anthropic.blocks import is_text, read_blocks
from ccr.adapters.dialects.anthropic.facts import Fields, facts_of, reasoning_mode
from ccr.adapters.dialects.anthropic.plain import is_plain
from ccr.adapters.dialects.anthropic.read_tools import read_tools
from ccr.adapters.dialects.anthropic.seals import FOREIGN, with_call_seals
from ccr.adapters.dialects.anthropic.wire import (
    DIALECT,
    MESSAGE,
    STRING,
    Raw,
    WireMetadata,
    WireOutputConfig,
    WireThinking,
    WireToolChoice,
    opening,
)
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid, opened, prefixed
from ccr.adapters.wire.hints import of_enum
from ccr.adapters.wire.parsed import Parsed
from ccr.adapters.wire.retarget import retarget
from ccr.domain.conversation import (
    Conversation,
    Effort,
    OutputFormat,
    Reasoning,
    Role,
    Sampling,
    Text,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.errors import InvalidRequestError
from ccr.domain.verbatim import Json, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ccr.application.call import Call
    from ccr.domain.conversation import Tool
    from ccr.domain.facts import RequestFacts

__all__ = ["AnthropicCall", "read_call", "read_output", "read_reasoning", "read_tools", "read_turn"]

_T = TypeVar("_T")

_ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
_CHOICES = {"auto": ToolMode.AUTO, "any": ToolMode.REQUIRED, "none": ToolMode.NONE, "tool": ToolMode.NAMED}
_DISPLAYS = {"omitted": False, "summarized": True, None: None}
_CHOICE = msgspec.json.Decoder(WireToolChoice)
_THINKING = msgspec.json.Decoder(WireThinking)
_OUTPUT = msgspec.json.Decoder(WireOutputConfig)
_METADATA = msgspec.json.Decoder(WireMetadata)
_FLOAT = msgspec.json.Decoder(float | None)
_INT = msgspec.json.Decoder(int | None)
_OPTIONAL = msgspec.json.Decoder(str | None)
_STRINGS = msgspec.json.Decoder(list[str] | None)

_WORDS = frozenset(
    {
        "model", "messages", "system", "tools", "tool_choice", "max_tokens", "stream", "temperature", "top_p", "top_k",
        "stop_sequences", "service_tier", "metadata", "thinking", "output_config", "thread",
    }
)  # fmt: skip
"""Top-level fields that the vocabulary has words for; every other one is carried in ``Conversation.extra``."""

_THREAD = (
    "thread: this gateway keeps no conversation state, send the whole conversation "
    "(capability_rejected: beta_header:message-threads-2026-08-12)"
)


def read_turn(raw: bytes) -> Turn:
    """Read one message. Pure and context-free. Raises InvalidRequestError with a path inside the message."""
    message = checked(MESSAGE, raw, "")
    role = _ROLES.get(message.role)
    if role is None:
        raise invalid("role", f"must be user, assistant or system, not {message.role[:40]!r}")
    blocks = read_blocks(message.content, "content")
    if FOREIGN in raw:
        attached = with_call_seals(blocks)
        if attached is not blocks:
            return Turn(role, attached)
    return Turn(role, blocks, Verbatim(DIALECT, raw))


def read_call(
    call: Call,
    read_turn: Callable[[bytes], Turn] = read_turn,
    read_tools: Callable[[bytes], tuple[Tool, ...]] = read_tools,
) -> AnthropicCall:
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
    thread = json.object_of(top["thread"]) if "thread" in top else None
    if thread is not None and thread.get("type") == "continue":
        raise InvalidRequestError(_THREAD, param="thread")
    fields = Fields(body, top, elements(top["messages"], "messages"), bytes(top["messages"]))
    facts = facts_of(fields, model, call.headers, call.operation)
    if not fields.messages:
        raise invalid("messages", "must not be empty")
    return AnthropicCall(fields, model, facts, read_turn, read_tools)


class AnthropicCall(Parsed):
    """:class:`ccr.application.ports.dialect.ParsedCall` of the Messages API."""

    __slots__ = ("_fields",)

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

    @property
    def foreign(self) -> bool:
        """Whether it carries state that another provider sealed: found by our mark, in microseconds."""
        return FOREIGN in self._fields.said

    @property
    def plain(self) -> bool:
        """Whether it is the Messages API of before the betas, which everybody who speaks it knows."""
        return is_plain(self._fields, self.facts)

    @property
    def echo(self) -> None:
        """Nothing: a reply says nothing of its request."""

    def retarget(self, model: str) -> bytes:
        """Return the body as it came but for another model."""
        return retarget(self._fields.body, self._fields.top, model)

    @override
    def _built(self) -> Conversation:
        top, facts = self._fields.top, self.facts
        output = _get(top, "output_config", _OUTPUT)
        metadata = _get(top, "metadata", _METADATA)
        return Conversation(
            model=self._model,
            turns=tuple(self._turn(index, raw) for index, raw in enumerate(self._fields.messages)),
            system=_system(top.get("system")),
            tools=self._tools(top.get("tools")),
            tool_choice=_tool_choice(_get(top, "tool_choice", _CHOICE)),
            sampling=Sampling(
                _get(top, "temperature", _FLOAT), _get(top, "top_p", _FLOAT), _get(top, "top_k", _INT)
            ),
            reasoning=_reasoning(_get(top, "thinking", _THINKING), _effort(output)),
            output_format=_output_format(output),
            service_tier=_get(top, "service_tier", _OPTIONAL),
            max_tokens=facts.max_tokens,
            stop=tuple(_get(top, "stop_sequences", _STRINGS) or ()),
            stream=facts.stream,
            user=metadata.user_id if metadata else None,
            metadata=json.json_of(top["metadata"]) if metadata else None,
            dialect=DIALECT,
            extra=_extra(top),
        )

    def _turn(self, index: int, raw: Raw) -> Turn:
        try:
            return self._read_turn(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, f"messages[{index}]") from error

    def _tools(self, raw: Raw | None) -> tuple[Tool, ...]:
        if raw is None or bytes(raw) == b"null":
            return ()
        try:
            return self._read_tools(bytes(raw))
        except InvalidRequestError as error:
            raise prefixed(error, "tools") from error


def _get(top: Mapping[str, Raw], name: str, decoder: msgspec.json.Decoder[_T]) -> _T | None:
    raw = top.get(name)
    return None if raw is None or bytes(raw) == b"null" else checked(decoder, raw, name)


def _system(raw: Raw | None) -> tuple[Text, ...]:
    if raw is None or bytes(raw) == b"null":
        return ()
    blocks = read_blocks(raw, "system")
    texts = tuple(block for block in blocks if isinstance(block, Text))
    if len(texts) != len(blocks):
        raise invalid("system", "holds text blocks only")
    return () if is_text(raw) and not texts[0].text else texts


def _tool_choice(wire: WireToolChoice | None) -> ToolChoice | None:
    if wire is None:
        return None
    mode = _CHOICES.get(wire.type)
    if mode is None:
        raise invalid("tool_choice.type", "must be auto, any, tool or none")
    if mode is ToolMode.NAMED and not wire.name:
        raise invalid("tool_choice.name", "is required")
    parallel = None if wire.disable_parallel_tool_use is None else not wire.disable_parallel_tool_use
    return ToolChoice(mode, wire.name if mode is ToolMode.NAMED else None, parallel)


def read_reasoning(thinking: bytes, effort: Effort | None) -> Reasoning:
    """Read a ``thinking``. Raises InvalidRequestError."""
    return _reasoning(checked(_THINKING, thinking, "thinking"), effort)


def read_output(output: bytes) -> tuple[Effort | None, OutputFormat | None]:
    """Read an ``output_config``. Raises InvalidRequestError."""
    wire = checked(_OUTPUT, output, "output_config")
    return _effort(wire), _output_format(wire)


def _effort(output: WireOutputConfig | None) -> Effort | None:
    return of_enum(Effort, ((output and output.effort) or "").lower())


def _reasoning(thinking: WireThinking | None, effort: Effort | None) -> Reasoning:
    wire = thinking or WireThinking()
    return Reasoning(reasoning_mode(wire.type), effort, wire.budget_tokens, _DISPLAYS.get(wire.display, True))


def _output_format(output: WireOutputConfig | None) -> OutputFormat | None:
    wire = output.format if output else None
    if wire is None:
        return None
    return OutputFormat(json.json_of(wire.schema) if wire.schema else None, wire.name or "output")


def _extra(top: Mapping[str, Raw]) -> tuple[tuple[str, Json], ...]:
    """Carry what has no word; ``thinking`` and ``output_config`` too where they say more than the words do."""
    names = [name for name in top if name not in _WORDS]
    if "thinking" in top and _says_more(
        top["thinking"], _THINKING_WORDS, "display", ("omitted", "summarized")
    ):
        names.append("thinking")
    if "output_config" in top and _says_more(top["output_config"], _OUTPUT_WORDS, "effort", _EFFORTS):
        names.append("output_config")
    return tuple((name, json.json_of(top[name])) for name in names)


_THINKING_WORDS = frozenset({"type", "budget_tokens", "display"})
_OUTPUT_WORDS = frozenset({"effort", "format"})
_EFFORTS = tuple(effort.value for effort in Effort)


def _says_more(raw: Raw, known: frozenset[str], key: str, values: Sequence[str]) -> bool:
    fields = json.object_of(raw) or {}
    return not known.issuperset(fields) or (key in fields and fields[key] not in values)
