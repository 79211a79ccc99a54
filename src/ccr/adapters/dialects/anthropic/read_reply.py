"""A whole reply of a provider."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.dialects.anthropic.blocks import read_blocks
from ccr.adapters.dialects.anthropic.errors import decode_error
from ccr.adapters.dialects.anthropic.usage import read_usage
from ccr.adapters.dialects.anthropic.wire import DIALECT, opening
from ccr.adapters.wire import json
from ccr.domain.conversation import ContentBlock, ServerToolCall, ToolCall
from ccr.domain.errors import InvalidRequestError, UpstreamProtocolError
from ccr.domain.reply import Reply, StopDetails, StopReason
from ccr.domain.verbatim import Json

__all__ = ["DETAILS", "WireReply", "decode_reply", "details_of", "is_error", "read_reply", "stop_reason"]

DETAILS = ("stop_details", "container", "context_management", "safeguard_results")
"""What else a reply may say about its end; carried for clients of this dialect."""


class WireReply(Struct, gc=False):
    """A message."""

    type: str = ""
    id: str | None = None
    model: str | None = None
    content: Raw = Raw()
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


_REPLY = msgspec.json.Decoder(WireReply)


def stop_reason(text: str, *, calls: bool) -> StopReason:
    """Return the reason; a word that we do not know is an end, of a turn with tool calls if there were any."""
    try:
        return StopReason(text)
    except ValueError:
        return StopReason.TOOL_USE if calls else StopReason.END_TURN


def details_of(raw: Raw | bytes) -> StopDetails | None:
    """Return the fields of :data:`DETAILS` that an object has."""
    try:
        top = json.top_level(raw)
    except ValueError:
        return None
    found = {name: top[name] for name in DETAILS if name in top and bytes(top[name]) != b"null"}
    return StopDetails(DIALECT, Json(json.encode_wire(found))) if found else None


def is_error(reply: WireReply) -> bool:
    """Whether a 200 hides an error."""
    return reply.type == "error" or (not reply.content and bool(reply.error))


def read_reply(body: bytes) -> Reply:
    """Read a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
    wire = decode_reply(body)
    if wire.stop_reason is None:
        raise UpstreamProtocolError("the provider's reply does not say why it ended")
    try:
        blocks: tuple[ContentBlock, ...] = read_blocks(wire.content, "content")
    except InvalidRequestError as error:
        raise UpstreamProtocolError(
            f"the provider's reply is not a legal message: {error.message}"
        ) from error
    calls = any(isinstance(block, ToolCall | ServerToolCall) for block in blocks)
    return Reply(
        id=wire.id or "",
        model=wire.model or "",
        blocks=blocks,
        reason=stop_reason(wire.stop_reason, calls=calls),
        stop_sequence=wire.stop_sequence,
        details=details_of(body),
        usage=read_usage(wire.usage),
    )


def decode_reply(body: bytes) -> WireReply:
    """Open a whole reply. Raises UpstreamProtocolError, or the error that a 200 hid."""
    try:
        wire = json.decode_tolerant(_REPLY, body)
    except ValueError as error:
        hidden = json.object_of(body)
        if hidden is not None and "error" in hidden:
            raise decode_error(200, {}, body, provider="") from error
        raise UpstreamProtocolError("the provider's reply is not a JSON message") from error
    if is_error(wire):
        raise decode_error(200, {}, body, provider="")
    if opening(wire.content) != b"[":
        raise UpstreamProtocolError("the provider's reply has no content")
    return wire
