"""Contents of the shapes that nearly every one has (texts, thoughts, calls, responses), each read in one decode.

Whatever else a content may be is left to ``read_contents``, which also says what is wrong with one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.dialects.gemini.seals import CALL, TEXT, THOUGHT, is_dummy, read_seal
from ccr.adapters.dialects.gemini.wire import object_of, opening
from ccr.adapters.wire import json
from ccr.domain.conversation import Text, Thinking, ToolCall, ToolResult
from ccr.domain.verbatim import EMPTY_OBJECT

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock

__all__ = ["SEPARATOR", "call_of", "read_usual", "said", "thinking"]

SEPARATOR = "\x1f"
"""Between the id and the name of a response: which call it answers is found by either (``turns.arranged``)."""


class _Call(Struct, forbid_unknown_fields=True, gc=False):
    name: str
    id: str | None = None
    args: Raw = Raw()


class _Response(Struct, forbid_unknown_fields=True, gc=False):
    response: Raw
    name: str | None = None
    id: str | None = None


class _Part(Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    function_call: _Call | None = None
    function_response: _Response | None = None


class _Content(Struct, forbid_unknown_fields=True, gc=False):
    parts: list[_Part]
    role: str | None = None


class _Output(Struct, forbid_unknown_fields=True, gc=False):
    output: str


_CONTENT = msgspec.json.Decoder(_Content)
_OUTPUT = msgspec.json.Decoder(_Output)


def read_usual(raw: bytes) -> tuple[str, list[ContentBlock]] | None:
    """Return the role's word and the blocks of a content, None if it is no usual one. Never raises."""
    try:
        content = _CONTENT.decode(raw)
    except (ValueError, RecursionError):
        return None
    blocks: list[ContentBlock] = []
    for part in content.parts:
        if not _read(part, blocks):
            return None
    return content.role or "", blocks


def _read(part: _Part, blocks: list[ContentBlock]) -> bool:
    """Add what a part says; False if it is none, several, or wrong."""
    text, call, response = part.text, part.function_call, part.function_response
    if (text is None) + (call is None) + (response is None) != 2:  # one of three is there
        return False
    signature = part.thought_signature or ""
    if text is not None:
        _say(text, signature, blocks, thought=part.thought is True)
        return True
    if call is not None:
        if not call.name or (call.args and opening(call.args) != b"{"):
            return False
        blocks.append(call_of(call.id or "", call.name, call.args, signature))
        return True
    return response is not None and not signature and _respond(response, blocks)


def _say(text: str, signature: str, blocks: list[ContentBlock], *, thought: bool) -> None:
    if thought:
        if text or signature:
            blocks.append(thinking(text, signature, THOUGHT))
        return
    if text:
        blocks.append(Text(text))
    if signature:
        blocks.append(thinking("", signature, TEXT))


def _respond(found: _Response, blocks: list[ContentBlock]) -> bool:
    if opening(found.response) != b"{":
        return False
    text, plain, is_error = said(found.response)
    call_id = f"{found.id or ''}{SEPARATOR}{found.name or ''}"
    blocks.append(ToolResult(call_id, (Text(text),) if text else (), is_error, plain=plain))
    return True


def thinking(text: str, signature: str, form: str) -> Thinking:
    """Return a thought with the seal that its signature is; ``form`` says on what kind of part it stood."""
    if not signature:
        return Thinking(text)
    seal, hidden = read_seal(signature, form)
    return Thinking(hidden or text, seal)


def call_of(call_id: str, name: str, args: Raw, signature: str) -> ToolCall:
    """Return a call whose arguments, a JSON object, may be absent."""
    given = json.json_of(args) if args else EMPTY_OBJECT
    seal = read_seal(signature, CALL)[0] if signature and not is_dummy(signature) else None
    return ToolCall(call_id, name, given, seal=seal)


def said(response: Raw) -> tuple[str, bool, bool]:
    """Return what a function said, whether as one text, and whether that was an error."""
    try:
        return _OUTPUT.decode(response).output, True, False
    except (ValueError, RecursionError):
        fields = object_of(response)
    if list(fields) == ["error"]:
        error = fields["error"]
        return error if isinstance(error, str) else json.encode_wire(error).decode(), True, True
    return bytes(response).decode() if fields else "", not fields, False
