"""Why a reply ended, both ways."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.wire import NAME, Wire, absent
from ccr.adapters.wire import json
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopDetails, StopReason
from ccr.domain.value import value
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.adapters.dialects.gemini.wire import Raw

__all__ = ["Finish", "finish_fields", "finish_of"]

_REFUSED = frozenset(
    {
        "SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT",
        "IMAGE_RECITATION", "MODEL_ARMOR", "LANGUAGE", "ESCALATION",
    }
)  # fmt: skip
_FAILED = frozenset(
    {
        "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE",
        "MALFORMED_RESPONSE",
    }
)  # fmt: skip
"""What is no end of a reply: another attempt may do better."""

_WORDS = {
    StopReason.MAX_TOKENS: "MAX_TOKENS",
    StopReason.CONTEXT_WINDOW: "MAX_TOKENS",
    StopReason.REFUSAL: "SAFETY",
}


@value
class Finish:
    """``details``: what a client of this dialect is told beyond the reason."""

    reason: StopReason
    details: StopDetails | None = None


def finish_of(word: str, message: str, feedback: Raw) -> Finish:
    """Return what a ``finishReason`` means; ``feedback`` is the ``promptFeedback`` of a request that was blocked.

    Raises UpstreamProtocolError if there is none, or if it says that the model failed. A word that we do not know is an end.
    """
    if not word:
        if absent(feedback):
            raise UpstreamProtocolError("the provider's reply ended before it was complete")
        return Finish(StopReason.REFUSAL, _details({"promptFeedback": feedback}))
    if word in _FAILED:
        raise UpstreamProtocolError(
            f"the model's reply failed ({word})" + (f": {message[:500]}" if message else "")
        )
    if word in _REFUSED:
        said: Wire = {"finishReason": word}
        if message:
            said["finishMessage"] = message
        return Finish(StopReason.REFUSAL, _details(said))
    return Finish(StopReason.MAX_TOKENS if word == "MAX_TOKENS" else StopReason.END_TURN)


def _details(said: Wire) -> StopDetails:
    return StopDetails(NAME, Json(json.encode_wire(said)))


def finish_fields(reason: StopReason, details: StopDetails | None) -> Wire:
    """Return ``finishReason`` and what goes with it; ``promptFeedback``, which stands elsewhere, among them."""
    said = json.object_of(details.data.data) if details is not None and details.dialect == NAME else None
    return {"finishReason": _WORDS.get(reason, "STOP"), **(said or {})}
