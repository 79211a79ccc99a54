"""Contents as turns. Each is read alone; what depends on others is a pass over all of them (``turns.arranged``)."""

from __future__ import annotations

from base64 import b64decode
from typing import TYPE_CHECKING

import msgspec

from ccr.adapters.dialects.gemini.read_usual import SEPARATOR, call_of, read_usual, said, thinking
from ccr.adapters.dialects.gemini.seals import IMAGE, TEXT, THOUGHT
from ccr.adapters.dialects.gemini.wire import NAME, STRING, Raw, fields, get, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import elements, invalid
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
from ccr.domain.verbatim import Verbatim

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ccr.domain.conversation import ContentBlock, ResultPart, Source

__all__ = ["joined", "read_turn", "text_parts"]

_ROLES = {
    "": Role.USER,
    "user": Role.USER,
    "function": Role.USER,
    "model": Role.ASSISTANT,
    "assistant": Role.ASSISTANT,
    "system": Role.SYSTEM,
}
_BOOL = msgspec.json.Decoder(bool)
_BESIDE = frozenset({"thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata"})
_UPLOADS = ("gs://", "https://generativelanguage.googleapis.com/", "files/")


def read_turn(raw: bytes) -> Turn:
    """Read one content. Raises InvalidRequestError with a path inside it."""
    usual = read_usual(raw)
    word, blocks = usual if usual is not None else _read_any(raw)
    role = _ROLES.get(word.lower())
    if role is None:
        raise invalid("role", f"must be user or model, not {word.lower()[:40]!r}")
    return Turn(role, joined(blocks), Verbatim(NAME, raw))


def _read_any(raw: bytes) -> tuple[str, list[ContentBlock]]:
    found = fields(raw, "")
    word = get(found, "role", STRING) or ""
    parts = elements(found["parts"], "parts") if "parts" in found else []
    return word, [block for index, part in enumerate(parts) for block in _part(part, f"parts[{index}]")]


def text_parts(raw: Raw, path: str) -> Iterator[str]:
    """Yield the texts of a content. Raises InvalidRequestError."""
    found = fields(raw, path)
    for index, part in enumerate(elements(found["parts"], f"{path}.parts") if "parts" in found else []):
        text = get(fields(part, f"{path}.parts[{index}]"), "text", STRING, f"{path}.parts[{index}]")
        if text:
            yield text


def joined(blocks: list[ContentBlock]) -> tuple[ContentBlock, ...]:
    """Return blocks in which thinking that came in pieces is one block, with the seal that came last."""
    made: list[ContentBlock] = []
    for block in blocks:
        last = made[-1] if made else None
        thought_on = isinstance(block, Thinking) and (
            block.seal is None or block.seal.form not in (TEXT, IMAGE)
        )
        if thought_on and isinstance(block, Thinking) and isinstance(last, Thinking) and last.seal is None:
            made[-1] = Thinking(last.text + block.text, block.seal)
        else:
            made.append(block)
    return tuple(made)


def _part(raw: Raw, path: str) -> Iterator[ContentBlock]:
    found = fields(raw, path)
    signature = get(found, "thoughtSignature", STRING, path) or ""
    kind = next((name for name in found if name not in _BESIDE), "")
    if kind == "functionCall":
        yield _call(found[kind], signature, f"{path}.{kind}")
        return
    if get(found, "thought", _BOOL, path) and kind in ("text", ""):
        text = get(found, "text", STRING, path) or ""
        if text or signature:
            yield thinking(text, signature, THOUGHT)
        return
    reader = _READERS.get(kind)
    if reader is not None:
        yield from reader(raw, found[kind], f"{path}.{kind}")
    elif kind:
        yield Opaque(NAME, kind, json.json_of(raw))
        return  # its signature is inside it
    if signature:
        yield thinking("", signature, IMAGE if kind == "inlineData" else TEXT)


def _call(raw: Raw, signature: str, path: str) -> ToolCall:
    found = fields(raw, path)
    name = get(found, "name", STRING, path)
    if not name:
        raise invalid(f"{path}.name", "a call needs a name")
    args = found.get("args")
    if args is not None and opening(args) != b"{":
        raise invalid(f"{path}.args", "must be an object")
    return call_of(get(found, "id", STRING, path) or "", name, args or Raw(), signature)


def _text(_whole: Raw, raw: Raw, path: str) -> Iterator[ContentBlock]:
    if opening(raw) != b'"':
        raise invalid(path, "must be a text")
    text = STRING.decode(raw)
    if text:
        yield Text(text)


def _inline(whole: Raw, raw: Raw, path: str) -> Iterator[ContentBlock]:
    found = fields(raw, path)
    media_type = get(found, "mimeType", STRING, path) or ""
    yield _media(whole, "inlineData", media_type, Inline(media_type, get(found, "data", STRING, path) or ""))


def _file(whole: Raw, raw: Raw, path: str) -> Iterator[ContentBlock]:
    found = fields(raw, path)
    uri = get(found, "fileUri", STRING, path)
    if not uri:
        raise invalid(f"{path}.fileUri", "is required")
    media_type = get(found, "mimeType", STRING, path)
    is_address = uri.startswith("http") and not uri.startswith(_UPLOADS)
    yield _media(
        whole, "fileData", media_type or "", Url(uri, media_type) if is_address else FileRef(uri, NAME)
    )


def _media(whole: Raw, kind: str, media_type: str, source: Source) -> ContentBlock:
    if media_type.startswith("image/"):
        return Image(source)
    if media_type.startswith(("audio/", "video/")):
        return Opaque(NAME, kind, json.json_of(whole))
    if isinstance(source, Inline) and media_type.startswith("text/"):
        try:
            return Document(Inline(media_type, b64decode(source.data).decode(), "text"))
        except ValueError:
            return Document(source)
    return Document(source)


def _response(_whole: Raw, raw: Raw, path: str) -> Iterator[ContentBlock]:
    found = fields(raw, path)
    name = get(found, "name", STRING, path) or ""
    call_id = (get(found, "id", STRING, path) or "") + SEPARATOR + name
    response = found.get("response", Raw(b"{}"))
    if opening(response) != b"{":
        raise invalid(f"{path}.response", "must be an object")
    content: list[ResultPart] = []
    text, plain, is_error = said(response)
    if text:
        content.append(Text(text))
    parts = elements(found["parts"], f"{path}.parts") if "parts" in found else []
    for index, part in enumerate(parts):
        inner = _part(part, f"{path}.parts[{index}]")
        content += [block for block in inner if isinstance(block, Text | Image | Document | Opaque)]
    yield ToolResult(call_id, tuple(content), is_error, plain=plain)


_READERS: dict[str, Callable[[Raw, Raw, str], Iterator[ContentBlock]]] = {
    "text": _text,
    "inlineData": _inline,
    "fileData": _file,
    "functionResponse": _response,
}
