"""Items of a caller's ``input`` as turns, each for itself: pure and context-free, so that they can be remembered.

Who groups them is :mod:`grouping`. Errors name a path inside the item.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.citations import read_citations
from ccr.adapters.dialects.openai_responses.namespaces import flat_name
from ccr.adapters.dialects.openai_responses.seals import read_seal
from ccr.adapters.dialects.openai_responses.wire import (
    ITEM,
    NAME,
    PARTS,
    STRING,
    Raw,
    WireItem,
    WirePart,
    absent,
    opening,
)
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.adapters.wire.data_url import read_data_url
from ccr.adapters.wire.loose_json import repair_object
from ccr.domain.conversation import (
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    Role,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Url,
)
from ccr.domain.verbatim import Json, Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.domain.conversation import ContentBlock, ResultPart, Source

__all__ = ["is_answer", "read_text_turn", "read_turn"]

_ROLES = {
    "user": Role.USER,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
    "developer": Role.SYSTEM,
}
_NO_STATE = "this gateway keeps no conversation state: send the whole conversation, with store false"
_FROM_USER = frozenset(
    {"mcp_approval_response", "compaction_trigger", "additional_tools", "configuration_update"}
)
_OUTPUT = "_output"
_SERVED = frozenset({"program_output", "tool_search_output"})
"""Outputs that the provider's side writes."""
_FILE_TYPE = "application/pdf"
"""What a file without a type is: the API took PDF alone for a year."""


def is_answer(kind: str | None, role: str | None) -> bool:
    """Whether an item is the model's doing, by its type and role."""
    if kind in (None, "message"):
        return role == "assistant"
    return kind not in _FROM_USER and (not kind.endswith(_OUTPUT) or kind in _SERVED)


def read_text_turn(text: str) -> Turn:
    """Return the turn of an ``input`` that is one string."""
    return Turn(Role.USER, (Text(text),))


def read_turn(raw: bytes) -> Turn:
    """Read one item. Raises InvalidRequestError with a path inside it."""
    kind = (json.object_of(raw) or {}).get("type")
    if isinstance(kind, str) and kind not in _READERS:
        role = Role.ASSISTANT if is_answer(kind, None) else Role.USER
        if not kind or kind == "item_reference":
            raise invalid("type", _NO_STATE if kind else "must name the type of the item")
        return Turn(role, (Opaque(NAME, kind, Json(raw)),), Verbatim(NAME, raw))
    item = checked(ITEM, raw, "")
    if item.type is None and item.role is None:
        raise invalid("type", _NO_STATE if item.id else "must name the type of the item")
    role, blocks = _READERS[item.type or "message"](item)
    return Turn(role, blocks, Verbatim(NAME, raw))


# ---------------------------------------------------------------------------------------- a type at a time


def _message(item: WireItem) -> tuple[Role, tuple[ContentBlock, ...]]:
    role = _ROLES.get(item.role or "")
    if role is None:
        said = (item.role or "")[:40]
        raise invalid("role", f"must be user, assistant, system or developer, not {said!r}")
    if absent(item.content):
        raise invalid("content", "is required")
    return role, tuple(_content(item.content, "content"))


def _reasoning(item: WireItem) -> tuple[Role, tuple[ContentBlock, ...]]:
    summary, content = _texts(item.summary, "summary"), _texts(item.content, "content")
    seal = read_seal(item.id or "", summary, content, item.encrypted_content or "")
    text = "\n\n".join(summary or content)
    return Role.ASSISTANT, (Thinking(text, seal),) if text or seal else ()


def _texts(raw: Raw, path: str) -> list[str]:
    if absent(raw):
        return []
    parts = checked(PARTS, raw, path)
    return [part.text or "" for part in parts]


def _function_call(item: WireItem) -> tuple[Role, tuple[ContentBlock, ...]]:
    call_id, name = _call(item)
    text = item.arguments or ""
    # What a model once wrote stays in the history for ever, broken or not: others take objects only.
    given = repair_object(text) or json.encode({"arguments": text})
    return Role.ASSISTANT, (ToolCall(call_id, name, Json(given)),)


def _custom_call(item: WireItem) -> tuple[Role, tuple[ContentBlock, ...]]:
    return Role.ASSISTANT, (ToolCall(*_call(item), item.input or ""),)


def _call(item: WireItem) -> tuple[str, str]:
    if not item.name:
        raise invalid("name", "a tool call needs a name")
    return _call_id(item), flat_name(item.namespace, item.name)


def _call_id(item: WireItem) -> str:
    if not item.call_id:
        raise invalid("call_id", "is required")
    return item.call_id


def _call_output(item: WireItem) -> tuple[Role, tuple[ContentBlock, ...]]:
    call_id = _call_id(item)
    if absent(item.output):
        raise invalid("output", "is required")
    plain = opening(item.output) == b'"'
    content: list[ResultPart] = []
    for part in _content(item.output, "output"):
        assert isinstance(part, Text | Image | Document | Opaque), "what _content makes"
        content.append(part)
    return Role.USER, (ToolResult(call_id, tuple(content), plain=plain),)


_READERS: dict[str, Callable[[WireItem], tuple[Role, tuple[ContentBlock, ...]]]] = {
    "message": _message,
    "reasoning": _reasoning,
    "function_call": _function_call,
    "function_call_output": _call_output,
    "custom_tool_call": _custom_call,
    "custom_tool_call_output": _call_output,
}


# ------------------------------------------------------------------------------------------------- content


def _content(raw: Raw, path: str) -> Iterator[Text | Image | Document | Opaque]:
    first = opening(raw)
    if first == b'"':
        yield Text(checked(STRING, raw, path))
        return
    if first != b"[":
        raise invalid(path, "must be a string or a list of content parts")
    raws = elements(raw, path)
    parts = checked(PARTS, raw, path)
    for index, part in enumerate(parts):
        reader = _PARTS.get(part.type)
        if reader is not None:
            yield reader(part, f"{path}[{index}]")
        elif part.type in ("input_audio", "computer_screenshot"):
            yield Opaque(NAME, part.type, json.json_of(raws[index]))
        else:
            raise invalid(f"{path}[{index}].type", f"unknown type of content: {part.type[:40]!r}")


def _text(part: WirePart, _path: str) -> Text:
    return Text(part.text or "", citations=read_citations(part.annotations))


def _refusal(part: WirePart, _path: str) -> Text:
    return Text(part.refusal or "")


def _image(part: WirePart, path: str) -> Image:
    if part.image_url:
        return Image(read_data_url(part.image_url) or Url(part.image_url))
    if part.file_id:
        return Image(FileRef(part.file_id, NAME))
    raise invalid(f"{path}.image_url", "an image needs image_url or file_id")


def _file(part: WirePart, path: str) -> Document:
    return Document(_file_source(part, path), part.filename)


def _file_source(part: WirePart, path: str) -> Source:
    if part.file_data:
        return _as_text(read_data_url(part.file_data) or Inline(_FILE_TYPE, part.file_data))
    if part.file_url:
        return Url(part.file_url)
    if part.file_id:
        return FileRef(part.file_id, NAME)
    raise invalid(f"{path}.file_data", "a file needs file_data, file_url or file_id")


def _as_text(source: Inline) -> Inline:
    """Text in base64 is text, which everybody can read."""
    if not source.media_type.startswith("text/") or source.encoding == "text":
        return source
    try:
        return Inline(source.media_type, b64decode(source.data).decode(), "text")
    except ValueError:
        return source


_PARTS: dict[str, Callable[[WirePart, str], Text | Image | Document]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
}
