"""A whole reply for our client."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.finish import finish_fields
from ccr.adapters.dialects.gemini.usage import write_usage
from ccr.adapters.dialects.gemini.wire import Raw, Wire
from ccr.adapters.dialects.gemini.write_parts import PartWriter
from ccr.adapters.wire import json
from ccr.domain.stream import unfold

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.domain.reply import Reply, StopDetails, StopReason

__all__ = ["ended", "write_reply"]


def write_reply(reply: Reply, new_id: str, model: str, *, thoughts: bool) -> bytes:
    """Write a whole reply; ``new_id`` and ``model`` stand in where the provider named none.

    Raises UpstreamProtocolError if a call is broken, unless the reply was cut short: then the call is left out.
    """
    writer = PartWriter(thoughts=thoughts)
    parts = [part for event in unfold(reply) for part in writer.take(event)]
    writer.end(reply.reason)
    body = ended(parts, reply.reason, reply.details, writer.sources.metadata())
    body["usageMetadata"] = write_usage(reply.usage)
    body["modelVersion"] = reply.model or model
    body["responseId"] = reply.id or new_id
    return json.encode_wire(body)


def ended(
    parts: Sequence[Wire | Raw], reason: StopReason, details: StopDetails | None, grounding: Wire | None
) -> Wire:
    """Return what says that a reply is over: its only candidate, or why the prompt was refused."""
    finish = finish_fields(reason, details)
    feedback = finish.pop("promptFeedback", None)
    if feedback is not None and not parts:
        return {"promptFeedback": feedback}
    candidate: Wire = {"content": {"parts": list(parts), "role": "model"}, **finish, "index": 0}
    if grounding is not None:
        candidate["groundingMetadata"] = grounding
    return {"candidates": [candidate]}
