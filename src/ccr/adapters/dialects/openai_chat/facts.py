"""What is known of a request before anything is decided: from the headers, the top level and the current turn."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ccr.adapters.dialects.openai_chat.read_options import get, read_max_tokens, read_reasoning
from ccr.adapters.dialects.openai_chat.read_tools import SEARCH
from ccr.adapters.dialects.openai_chat.request_wire import (
    MESSAGE,
    PARTS,
    STRING,
    Raw,
    WireMessage,
    is_null,
    opening,
)
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire.hints import BOUND, read_hints
from ccr.domain.facts import RequestFacts
from ccr.domain.routing.tag import OPENING, read_tag
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ccr.application.call import Headers
    from ccr.domain.facts import Operation

__all__ = ["Fields", "facts_of"]

_BOOL = msgspec.json.Decoder(bool)
_BASE64 = re.compile(
    rb'"data:[\w.+/-]{1,100}(?:;[\w=.-]{1,100}){0,5}?;base64,((?:[A-Za-z0-9+/=]++|\\/)*+)"'
    rb'|"(?:data|file_data)"\s*+:\s*+"([A-Za-z0-9+/=\\]{200,}+)"'
)
"""Pictures and files as data URLs, audio as bare base64: never tokens one by one."""


class _LightTool(msgspec.Struct, gc=False):
    type: str = ""


_TOOLS = msgspec.json.Decoder(list[_LightTool])
_RAWS: msgspec.json.Decoder[list[Raw]] = msgspec.json.Decoder(list[Raw])


class Fields(NamedTuple):
    """A body opened at the top level."""

    body: bytes
    top: Mapping[str, Raw]
    messages: Sequence[Raw]


def facts_of(fields: Fields, model: str, headers: Headers, operation: Operation) -> RequestFacts:
    """Gather the facts. Raises InvalidRequestError if a field that is read has the wrong type."""
    top = fields.top
    hints = read_hints(headers, model)
    session = hints.session
    if not session.session:
        named = get(top, "prompt_cache_key", STRING) or get(top, "user", STRING) or ""
        session = evolve(session, session=named[:BOUND])
    tools = get(top, "tools", _TOOLS) or []
    functions = get(top, "functions", _RAWS) or []
    kinds = [tool.type for tool in tools if tool.type not in ("function", "custom", "")]
    options = not is_null(top.get("web_search_options"))
    if options:
        kinds.append(SEARCH)
    reasoning = read_reasoning(top)
    return RequestFacts(
        operation=operation,
        dialect=NAME,
        model=hints.model,
        size=len(fields.body),
        text_size=len(fields.body) - _media_size(fields.body),
        stream=get(top, "stream", _BOOL) is True,
        thinking=reasoning.mode,
        budget=reasoning.budget,
        effort=reasoning.effort,
        max_tokens=read_max_tokens(top),
        tool_kinds=tuple(kinds),
        tools=len(tools) + len(functions) + options,
        images=_images(fields.messages),
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


def _media_size(body: bytes) -> int:
    if b"base64" not in body and b"_data" not in body and b"input_audio" not in body:
        return 0
    return sum(len(found[1] or found[2] or b"") for found in _BASE64.finditer(body))


def _message(raw: Raw) -> WireMessage:
    """Read a message leniently: what is wrong with it is said when it is translated, or by whom it is relayed to."""
    try:
        return MESSAGE.decode(raw)
    except ValueError:
        return WireMessage()


def _images(messages: Sequence[Raw]) -> bool:
    """Whether a picture came since the last assistant turn, in a tool's result too."""
    for raw in reversed(messages):
        message = _message(raw)
        if message.role == "assistant":
            return False
        if b"image_url" in bytes(raw) and opening(message.content) == b"[" and _holds_image(message.content):
            return True
    return False


def _holds_image(content: Raw) -> bool:
    try:
        return any(part.type == "image_url" for part in PARTS.decode(content))
    except ValueError:
        return False


def _subagent_tag(fields: Fields) -> str:
    if OPENING.encode() not in fields.body:
        return ""
    return next((tag for tag in map(read_tag, _instructions(fields.messages)) if tag), "")


def _instructions(messages: Sequence[Raw]) -> Iterator[str]:
    """The texts of system messages and of the first user message."""
    seen_user = False
    for message in map(_message, messages):
        is_user = message.role == "user"
        if (is_user and not seen_user) or message.role in ("system", "developer"):
            yield from _texts(message.content)
        seen_user = seen_user or is_user


def _texts(content: Raw) -> list[str]:
    try:
        if opening(content) == b'"':
            return [STRING.decode(content)]
        return [part.text for part in PARTS.decode(content) if part.type == "text"]
    except ValueError:
        return []
