"""What is known of a request before anything is decided: from the headers, the top level and the current turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ccr.adapters.dialects.openai_responses.read_items import is_answer
from ccr.adapters.dialects.openai_responses.wire import NAME, STRING, Raw, absent, opening
from ccr.adapters.wire.complaint import OUTPUT_LIMIT, checked
from ccr.adapters.wire.hints import BOUND, of_enum, read_hints
from ccr.domain.conversation import Effort, Reasoning, ReasoningMode
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.routing.tag import read_tag
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ccr.application.call import Headers

__all__ = ["Fields", "facts_of", "get", "read_reasoning"]

T = TypeVar("T")


class _LightTool(Struct, gc=False):
    type: str = ""


class _LightItem(Struct, gc=False):
    type: str | None = None
    role: str | None = None
    content: Raw = Raw()
    output: Raw = Raw()


class _LightPart(Struct, gc=False):
    type: str = ""
    text: str | None = None


class _WireReasoning(Struct, gc=False):
    effort: str | None = None
    summary: str | None = None
    generate_summary: str | None = None


_INT = msgspec.json.Decoder(int | None)
_BOOL = msgspec.json.Decoder(bool | None)
_TEXT = msgspec.json.Decoder(str | None)
_TOOLS = msgspec.json.Decoder(list[_LightTool] | None)
_ITEM = msgspec.json.Decoder(_LightItem)
_PARTS = msgspec.json.Decoder(list[_LightPart])
_REASONING = msgspec.json.Decoder(_WireReasoning | None)

_OWN_TOOLS = frozenset({"function", "custom", "namespace"})
_DATA_URL = re.compile(rb'"data:[^",]{0,200};base64,[^"]*"')


class Fields(NamedTuple):
    """A body opened at the top level; ``items`` is empty where ``input`` is one string."""

    body: bytes
    top: Mapping[str, Raw]
    items: Sequence[Raw]


def get(top: Mapping[str, Raw], name: str, decoder: msgspec.json.Decoder[T]) -> T | None:
    """Return a field, None if it is not there. Raises InvalidRequestError."""
    raw = top.get(name)
    return None if raw is None or absent(raw) else checked(decoder, raw, name)


def facts_of(fields: Fields, model: str, headers: Headers, operation: Operation) -> RequestFacts:
    """Gather the facts. Raises InvalidRequestError if a field that is read has the wrong type."""
    top = fields.top
    hints = read_hints(headers, model)
    session = hints.session
    if not session.session:
        session = evolve(session, session=(get(top, "prompt_cache_key", _TEXT) or "")[:BOUND])
    reasoning = read_reasoning(top)
    tools = get(top, "tools", _TOOLS) or []
    return RequestFacts(
        operation=operation,
        dialect=NAME,
        model=hints.model,
        size=len(fields.body),
        text_size=len(fields.body) - _media_size(fields.body),
        stream=get(top, "stream", _BOOL) is True,
        thinking=reasoning.mode,
        effort=reasoning.effort,
        max_tokens=get(top, "max_output_tokens", OUTPUT_LIMIT),
        tool_kinds=tuple(tool.type for tool in tools if tool.type and tool.type not in _OWN_TOOLS),
        tools=len(tools),
        images=_images(fields.items),
        session=session,
        agent_type=hints.agent_type,
        request_class=hints.request_class,
        is_subagent=hints.is_subagent,
        compaction=hints.compaction,
        subagent_tag=_subagent_tag(fields),
        wants_1m=hints.wants_1m,
        client=hints.client,
        prompt_id=hints.prompt_id,
    )


def read_reasoning(top: Mapping[str, Raw]) -> Reasoning:
    """Return what is asked of reasoning: an effort of ``none`` is off. Raises InvalidRequestError."""
    wire = get(top, "reasoning", _REASONING)
    if wire is None:
        return Reasoning()
    visible = (wire.summary or wire.generate_summary) is not None
    word = (wire.effort or "").lower()
    if word == "none":
        return Reasoning(ReasoningMode.OFF, visible=visible)
    effort = of_enum(Effort, word)
    return Reasoning(ReasoningMode.UNSET if effort is None else ReasoningMode.ON, effort, visible=visible)


# ----------------------------------------------------------------------------------------------- the items


def _item(raw: Raw) -> _LightItem:
    """Read an item leniently: what is wrong with it is said when it is translated, or by whom it is relayed to."""
    try:
        return _ITEM.decode(raw)
    except ValueError:
        return _LightItem()


def _parts(raw: Raw) -> list[_LightPart]:
    try:
        return _PARTS.decode(raw)
    except ValueError:
        return []


def _images(items: Sequence[Raw]) -> bool:
    """Whether a picture came since the model last spoke, in a tool's output too."""
    for raw in reversed(items):
        item = _item(raw)
        if is_answer(item.type, item.role):
            return False
        if b'"input_image"' not in bytes(raw):
            continue
        if any(part.type == "input_image" for part in (*_parts(item.content), *_parts(item.output))):
            return True
    return False


def _media_size(body: bytes) -> int:
    """Bytes of base64 media: they are never tokens one by one."""
    if b";base64," not in body:
        return 0
    return sum(found.end() - found.start() - 2 for found in _DATA_URL.finditer(body))


def _subagent_tag(fields: Fields) -> str:
    if b"CCR-SUBAGENT-MODEL" not in fields.body:
        return ""
    return next((tag for text in _instructions(fields) if (tag := read_tag(text))), "")


def _instructions(fields: Fields) -> Iterator[str]:
    """The instructions, what the system says, and the first words of the user."""
    for name in ("instructions", "input"):
        raw = fields.top.get(name)
        if raw is not None and opening(raw) == b'"':
            yield checked(STRING, raw, name)
    seen_user = False
    for item in map(_item, fields.items):
        is_user = item.role == "user"
        if (is_user and not seen_user) or item.role in ("system", "developer"):
            if opening(item.content) == b'"':
                yield STRING.decode(item.content)
            yield from (part.text or "" for part in _parts(item.content))
        seen_user = seen_user or is_user
