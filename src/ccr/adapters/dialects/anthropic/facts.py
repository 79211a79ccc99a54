"""What is known of a request before anything is decided: from the headers, the top level and the current turn.

Tools and turns that nobody asks about stay raw; older turns are looked into only when a byte search says that they hold
something (a plan-mode note, a picture).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec

from ccr.adapters.dialects.anthropic.blocks import is_text
from ccr.adapters.dialects.anthropic.wire import (
    BILLING,
    DIALECT,
    MESSAGE,
    STRING,
    Raw,
    WireMessage,
    WireMetadata,
    WireOutputConfig,
    WireSource,
    WireThinking,
)
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import OUTPUT_LIMIT, checked
from ccr.adapters.wire.hints import BOUND, of_enum, read_hints
from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.routing.tag import read_tag
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ccr.application.call import Headers

__all__ = ["Fields", "facts_of", "reasoning_mode"]

T = TypeVar("T")

_INT = msgspec.json.Decoder(int | None)
_BOOL = msgspec.json.Decoder(bool | None)
_THINKING = msgspec.json.Decoder(WireThinking | None)
_OUTPUT = msgspec.json.Decoder(WireOutputConfig | None)
_METADATA = msgspec.json.Decoder(WireMetadata | None)

_OLD_SESSION = re.compile(r"_session_([\w.-]+)$")
_TAG = b"CCR-SUBAGENT-MODEL"
_SUBAGENT = b"cc_is_subagent=true"
_PLAN_ON = "Plan mode is active"
_PLAN_ON_BYTES = _PLAN_ON.encode()
_PLAN_OFF = re.compile(rb"[Ee]xited [Pp]lan [Mm]ode|approved your plan")

_MODES = {
    "enabled": ReasoningMode.ON,
    "disabled": ReasoningMode.OFF,
    "adaptive": ReasoningMode.ADAPTIVE,
}


class _LightTool(msgspec.Struct, gc=False):
    name: str = ""
    type: str | None = None


_TOOLS = msgspec.json.Decoder(list[_LightTool] | None)


class Fields(NamedTuple):
    """A body opened at the top level."""

    body: bytes
    top: Mapping[str, Raw]
    messages: Sequence[Raw]
    said: bytes
    """``messages`` as they came; half of a body is tools, which need not be searched."""


def facts_of(fields: Fields, model: str, headers: Headers, operation: Operation) -> RequestFacts:
    """Gather the facts. Raises InvalidRequestError if a field that is read has the wrong type."""
    top = fields.top
    thinking = _get(top, "thinking", _THINKING) or WireThinking()
    output = _get(top, "output_config", _OUTPUT) or WireOutputConfig()
    tools = _get(top, "tools", _TOOLS) or []
    system = bytes(top["system"]) if "system" in top else b""
    tagged = _TAG in fields.said or _TAG in system
    blocks = _system_texts(system) if tagged or _SUBAGENT in system else []
    hints = read_hints(headers, model)
    session = (
        hints.session if hints.session.session else evolve(hints.session, session=_session_of(_user(top)))
    )
    return RequestFacts(
        operation=operation,
        dialect=DIALECT,
        model=hints.model,
        size=len(fields.body),
        text_size=len(fields.body) - _media_size(fields),
        stream=_get(top, "stream", _BOOL) is True,
        thinking=reasoning_mode(thinking.type),
        budget=thinking.budget_tokens,
        effort=of_enum(Effort, (output.effort or "").lower()),
        plan_mode=_plan_mode(fields),
        max_tokens=_get(top, "max_tokens", OUTPUT_LIMIT),
        tool_kinds=tuple(tool.type for tool in tools if tool.type and tool.type != "custom"),
        tools=len(tools),
        images=_images(fields.messages),
        session=session,
        agent_type=hints.agent_type,
        request_class=hints.request_class,
        is_subagent=hints.is_subagent or _billed_as_subagent(blocks),
        compaction=hints.compaction,
        subagent_tag=_subagent_tag(fields, blocks) if tagged else "",
        wants_1m=hints.wants_1m,
        client=hints.client,
        prompt_id=hints.prompt_id,
    )


def reasoning_mode(kind: str) -> ReasoningMode:
    """Return what a ``thinking.type`` means."""
    return _MODES.get(kind, ReasoningMode.UNSET)


def _get(top: Mapping[str, Raw], name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    raw = top.get(name)
    return None if raw is None else checked(decoder, raw, name)


# ------------------------------------------------------------------------------------------- who asks


def _user(top: Mapping[str, Raw]) -> str:
    metadata = _get(top, "metadata", _METADATA)
    return (metadata and metadata.user_id) or ""


def _session_of(user_id: str) -> str:
    """Read both shapes of ``metadata.user_id``: a JSON object as text, and ``user_.._account__session_..``."""
    found = json.object_of(user_id.encode()) if user_id.startswith("{") else None
    if found is not None:
        session = found.get("session_id")
        return session[:BOUND] if isinstance(session, str) else ""
    old = _OLD_SESSION.search(user_id)
    return old[1][:BOUND] if old else ""


def _system_texts(raw: bytes) -> list[str]:
    if not raw:
        return []
    if raw.startswith(b'"'):
        return [checked(STRING, raw, "system")]
    return [block.text for block in checked(_TEXTS, raw, "system") or []]


def _billed_as_subagent(system: Sequence[str]) -> bool:
    return any(text.startswith(BILLING) and _SUBAGENT.decode() in text for text in system)


def _subagent_tag(fields: Fields, system: Sequence[str]) -> str:
    tags = map(read_tag, (*system, *_instructions(fields.messages)))
    return next((tag for tag in tags if tag), "")


def _instructions(messages: Sequence[Raw]) -> Iterator[str]:
    """The texts of system messages and of the first user message."""
    seen_user = False
    for message in map(_message, messages):
        is_user = message.role == "user"
        if (is_user and not seen_user) or message.role in ("system", "developer"):
            yield from _texts(message.content)
        seen_user = seen_user or is_user


# ------------------------------------------------------------------------------------------ the turns


class _LightBlock(msgspec.Struct, gc=False):
    type: str = ""
    text: str = ""
    content: Raw = Raw()
    source: Raw = Raw()


_TEXTS = msgspec.json.Decoder(list[_LightBlock] | None)
_LIGHT = msgspec.json.Decoder(list[_LightBlock])


def _message(raw: Raw) -> WireMessage:
    """Read a message leniently: what is wrong with it is said when it is translated, or by whom it is relayed to."""
    try:
        return MESSAGE.decode(raw)
    except ValueError:
        return WireMessage()


def _blocks(content: Raw) -> list[_LightBlock]:
    try:
        return _LIGHT.decode(content)
    except ValueError:
        return []


def _texts(content: Raw) -> list[str]:
    if is_text(content):
        return [STRING.decode(content)]
    return [block.text for block in _blocks(content) if block.type == "text"]


def _plan_mode(fields: Fields) -> bool:
    safeguards = fields.top.get("safeguards")
    if safeguards is not None and _says_plan(json.decode(safeguards)):
        return True
    if _PLAN_ON_BYTES not in fields.said:
        return False
    for raw in reversed(fields.messages):
        message = _message(raw)
        if message.role == "assistant":
            continue
        if any(_PLAN_ON in text for text in _texts(message.content)):
            return True
        if _PLAN_OFF.search(bytes(message.content)):
            return False
    return False


def _says_plan(safeguards: object) -> bool:
    """``safeguards[].classifier_context.permission_mode`` (fixture plan_mode.2.1.330)."""
    entries = safeguards if isinstance(safeguards, list) else []
    contexts = (entry.get("classifier_context") for entry in entries if isinstance(entry, dict))
    return any(isinstance(context, dict) and context.get("permission_mode") == "plan" for context in contexts)


def _images(messages: Sequence[Raw]) -> bool:
    """Whether a picture came since the last assistant turn, in a tool result too."""
    for raw in reversed(messages):
        found = b'"image"' in bytes(raw)
        message = _message(raw)
        if message.role == "assistant":
            return False
        if found and any(block.type == "image" for block in _with_inner(message.content)):
            return True
    return False


def _with_inner(content: Raw) -> Iterator[_LightBlock]:
    for block in _blocks(content):
        yield block
        if block.type == "tool_result":
            yield from _blocks(block.content)


def _media_size(fields: Fields) -> int:
    """Bytes of base64 media: they are never tokens one by one."""
    if b'"base64"' not in fields.said:
        return 0
    return sum(
        len(source.data)
        for raw in fields.messages
        if b'"base64"' in bytes(raw)
        for block in _with_inner(_message(raw).content)
        if block.source and (source := _source(block.source)).type == "base64"
    )


def _source(raw: Raw) -> WireSource:
    try:
        return _SOURCE.decode(raw)
    except ValueError:
        return WireSource()


_SOURCE = msgspec.json.Decoder(WireSource)
