"""Messages of a caller as turns. Reading one is pure and context-free; joining them is a pass of its own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.carriers import is_foreign, split_id, thoughts
from ccr.adapters.dialects.openai_chat.deltas import arguments_text, texts
from ccr.adapters.dialects.openai_chat.request_wire import (
    FILE,
    MESSAGE,
    PART,
    PARTS,
    STRING,
    Raw,
    WireCall,
    WireCalled,
    WireMessage,
    WirePart,
    is_null,
    opening,
)
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.adapters.wire.data_url import read_data_url
from ccr.adapters.wire.loose_json import repair_object
from ccr.domain.conversation import (
    CacheMark,
    Document,
    Image,
    Opaque,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.value import evolve
from ccr.domain.verbatim import EMPTY_OBJECT, Json, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import ContentBlock, ResultPart

__all__ = ["joined", "leading_system", "read_turn"]

_LEGACY = "call_legacy_"
"""How the ids begin that we give to calls of ``functions``, which have none."""


def read_turn(raw: bytes) -> Turn:
    """Read one message. Pure and context-free. Raises InvalidRequestError with a path inside the message."""
    message = checked(MESSAGE, raw, "")
    reader = _ROLES.get(message.role)
    if reader is None:
        known = "system, developer, user, assistant, tool or function"
        raise invalid("role", f"must be {known}, not {message.role[:40]!r}")
    role, blocks = reader(message)
    return Turn(role, blocks, None if is_foreign(raw) else Verbatim(NAME, raw))


# ----------------------------------------------------------------------------------------- a role at a time


def _system(message: WireMessage) -> tuple[Role, tuple[ContentBlock, ...]]:
    return Role.SYSTEM, tuple(block for block in _content(message.content) if isinstance(block, Text))


def _user(message: WireMessage) -> tuple[Role, tuple[ContentBlock, ...]]:
    return Role.USER, _content(message.content)


def _assistant(message: WireMessage) -> tuple[Role, tuple[ContentBlock, ...]]:
    said = "" if is_null(message.content) else message.content
    blocks = list(_content(message.content)) if said else []
    field = message.reasoning_content or message.reasoning
    thought = thoughts(field if isinstance(field, str) else "", message.reasoning_details)
    if message.refusal and not any(isinstance(block, Text) for block in blocks):
        blocks.append(Text(message.refusal))
    for index, call in enumerate(message.tool_calls or ()):
        blocks.append(_call(call, f"tool_calls[{index}]"))
    if message.function_call is not None:
        called = message.function_call
        blocks.append(ToolCall(_LEGACY + called.name, _named(called, "function_call"), _arguments(called)))
    return Role.ASSISTANT, (*thought, *blocks)


def _tool(message: WireMessage) -> tuple[Role, tuple[ContentBlock, ...]]:
    if not message.tool_call_id:
        raise invalid("tool_call_id", "a tool's message needs the id of its call")
    return Role.USER, (_result(split_id(message.tool_call_id)[0], message),)


def _function(message: WireMessage) -> tuple[Role, tuple[ContentBlock, ...]]:
    if not message.name:
        raise invalid("name", "a function's message needs the name of the function")
    return Role.USER, (_result(_LEGACY + message.name, message),)


_ROLES: dict[str, Callable[[WireMessage], tuple[Role, tuple[ContentBlock, ...]]]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
    "tool": _tool,
    "function": _function,
}


def _result(call_id: str, message: WireMessage) -> ToolResult:
    plain = opening(message.content) in (b'"', b"", b"n")
    if is_null(message.content):
        return ToolResult(call_id, plain=plain)
    blocks = _content(message.content)
    parts: tuple[ResultPart, ...] = tuple(
        block for block in blocks if isinstance(block, Text | Image | Document | Opaque)
    )
    return ToolResult(call_id, parts, plain=plain)


def _call(call: WireCall, path: str) -> ToolCall:
    own, seal = split_id(call.id)
    if not own:
        raise invalid(f"{path}.id", "a tool call needs an id")
    if call.custom is not None:
        return ToolCall(own, call.custom.name, call.custom.input, seal=seal)
    if call.function is None:
        raise invalid(f"{path}.function", "is required")
    return ToolCall(own, _named(call.function, f"{path}.function"), _arguments(call.function), seal=seal)


def _named(called: WireCalled, path: str) -> str:
    if not called.name:
        raise invalid(f"{path}.name", "a tool call needs a name")
    return called.name


def _arguments(called: WireCalled) -> Json:
    text = arguments_text(called.arguments).strip()
    if not text:
        return EMPTY_OBJECT
    data = text.encode("utf-8", "replace")
    if json.is_object(data):
        return Json(data)
    # What a model once wrote stays in the history for ever, broken or not: others take objects only.
    return Json(repair_object(text) or json.encode({"arguments": text}))


# ------------------------------------------------------------------------------------------------ contents


def _content(raw: Raw) -> tuple[ContentBlock, ...]:
    first = opening(raw)
    if first == b'"':
        text = checked(STRING, raw, "content")
        return (Text(text),) if text else ()
    if first != b"[":
        raise invalid("content", "must be a string or a list of parts")
    try:
        wires = PARTS.decode(raw)
    except ValueError:
        # Only to say where it is wrong.
        wires = [checked(PART, one, f"content[{at}]") for at, one in enumerate(elements(raw, "content"))]
    raws: list[Raw] = []
    blocks: list[ContentBlock] = []
    for index, wire in enumerate(wires):
        reader = _PARTS.get(wire.type)
        made = None if reader is None else reader(wire, f"content[{index}]")
        if made is None:
            raws = raws or elements(raw, "content")
            if not wire.type:
                raise invalid(f"content[{index}].type", "must name the type of the part")
            made = [Opaque(NAME, wire.type, json.json_of(raws[index]))]
        blocks.extend(made)
    return tuple(blocks)


def _text(wire: WirePart, _path: str) -> list[ContentBlock]:
    mark = None if wire.cache_control is None else CacheMark(wire.cache_control.ttl)
    return [Text(wire.text, mark)] if wire.text else []


def _refusal(wire: WirePart, _path: str) -> list[ContentBlock]:
    return [Text(wire.refusal)] if wire.refusal else []


def _thinking(wire: WirePart, _path: str) -> list[ContentBlock]:
    said = "".join(texts(wire.thinking))
    return [Thinking(said)] if said else []


def _image(wire: WirePart, path: str) -> list[ContentBlock]:
    if is_null(wire.image_url):
        raise invalid(f"{path}.image_url", "is required")
    if opening(wire.image_url) == b'"':  # as some clients write it
        url: object = STRING.decode(wire.image_url)
    else:
        url = (json.object_of(wire.image_url) or {}).get("url")
    if not isinstance(url, str) or not url:
        raise invalid(f"{path}.image_url.url", "must be a URL or a data URL")
    mark = None if wire.cache_control is None else CacheMark(wire.cache_control.ttl)
    return [Image(read_data_url(url) or Url(url), mark)]


def _file(wire: WirePart, path: str) -> list[ContentBlock] | None:
    """Read a file that came along; one that a provider keeps is for who keeps it."""
    if is_null(wire.file):
        raise invalid(f"{path}.file", "is required")
    file = checked(FILE, wire.file, f"{path}.file")
    if not file.file_data:
        return None
    url = file.file_data
    source = read_data_url(url if url.startswith("data:") else f"data:application/pdf;base64,{url}")
    return None if source is None else [Document(source, file.filename)]


_PARTS: dict[str, Callable[[WirePart, str], list[ContentBlock] | None]] = {
    "text": _text,
    "refusal": _refusal,
    "thinking": _thinking,
    "image_url": _image,
    "file": _file,
}


# ------------------------------------------------------------------------------------------------ together


def leading_system(turns: Iterable[Turn]) -> tuple[tuple[Text, ...], tuple[Turn, ...]]:
    """Return what the system says before anybody else does, and the other turns that say something."""
    system: list[Text] = []
    rest: list[Turn] = []
    for turn in turns:
        if turn.role is Role.SYSTEM and not rest:
            system.extend(block for block in turn.blocks if isinstance(block, Text))
        elif turn.blocks:
            rest.append(turn)
    return tuple(system), tuple(rest)


def joined(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns in which results that follow each other, and what the user says after them, are one turn."""
    made: list[Turn] = []
    counts: dict[str, int] = {}
    for turn in turns:
        numbered = _numbered(turn, counts)
        last = made[-1] if made else None
        if numbered.role is Role.USER and last is not None and _only_results(last):
            made[-1] = Turn(Role.USER, last.blocks + numbered.blocks)
        else:
            made.append(numbered)
    return tuple(made)


def _only_results(turn: Turn) -> bool:
    return all(isinstance(block, ToolResult) for block in turn.blocks)


def _numbered(turn: Turn, counts: dict[str, int]) -> Turn:
    """Give calls of legacy functions ids of their own: the name is all that the wire tells of them."""
    if not any(_id_of(block).startswith(_LEGACY) for block in turn.blocks):
        return turn
    blocks: list[ContentBlock] = []
    for block in turn.blocks:
        known = _id_of(block)
        if isinstance(block, ToolCall) and known.startswith(_LEGACY):
            counts[known] = counts.get(known, 0) + 1
            blocks.append(evolve(block, id=f"{known}_{counts[known]}"))
        elif isinstance(block, ToolResult) and known in counts:
            blocks.append(evolve(block, call_id=f"{known}_{counts[known]}"))
        else:
            blocks.append(block)
    return Turn(turn.role, tuple(blocks))


def _id_of(block: ContentBlock) -> str:
    if isinstance(block, ToolCall):
        return block.id
    return block.call_id if isinstance(block, ToolResult) else ""
