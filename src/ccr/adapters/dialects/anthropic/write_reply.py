"""A whole reply for our client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.seals import with_carriers
from ccr.adapters.dialects.anthropic.usage import write_usage
from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.dialects.anthropic.write_blocks import write_blocks
from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import broken_call
from ccr.domain.conversation import ToolCall
from ccr.domain.reply import StopReason
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.adapters.dialects.anthropic.write_blocks import Wire
    from ccr.domain.reply import Reply, StopDetails

__all__ = ["CUT_SHORT", "details_fields", "write_reply"]

CUT_SHORT = frozenset({StopReason.MAX_TOKENS, StopReason.CONTEXT_WINDOW})
"""Reasons for which the last tool call may rightly be half a call."""


def details_fields(details: StopDetails | None) -> Wire:
    """Return what this dialect said about the end of the reply."""
    if details is None or details.dialect != DIALECT:
        return {}
    return dict(json.top_level(details.data.data))


def write_reply(reply: Reply, new_id: str, model: str) -> bytes:
    """Write a whole reply; ``new_id`` and ``model`` stand in where the provider named none.

    Raises UpstreamProtocolError if a tool call is broken, unless the reply was cut short: then the call is left out,
    since a client would run whatever object it got.
    """
    blocks = list(reply.blocks)
    for block in reply.blocks:
        if (
            isinstance(block, ToolCall)
            and isinstance(block.input, Json)
            and not json.is_object(block.input.data)
        ):
            if reply.reason not in CUT_SHORT:
                raise broken_call(block.name)
            blocks.remove(block)
    written: dict[str, object] = {
        "id": reply.id or new_id,
        "type": "message",
        "role": "assistant",
        "model": reply.model or model,
        "content": write_blocks(with_carriers(blocks)),
        "stop_reason": reply.reason.value,
        "stop_sequence": reply.stop_sequence,
        "usage": write_usage(reply.usage),
        **details_fields(reply.details),
    }
    return json.encode_wire(written)
