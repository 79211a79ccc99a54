"""A whole reply, in no dialect."""

from __future__ import annotations

from enum import Enum

from ccr.domain.conversation.blocks import ContentBlock
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.value import value
from ccr.domain.verbatim import Json

__all__ = ["Reply", "StopDetails", "StopReason"]


class StopReason(Enum):
    """Why the model stopped; the values are Anthropic's words."""

    END_TURN = "end_turn"
    MAX_TOKENS = "max_tokens"
    STOP_SEQUENCE = "stop_sequence"
    TOOL_USE = "tool_use"
    PAUSE_TURN = "pause_turn"
    REFUSAL = "refusal"
    CONTEXT_WINDOW = "model_context_window_exceeded"


@value
class StopDetails:
    """What a dialect said beyond the reason (refusal category, container, ...), for that dialect only."""

    dialect: str
    data: Json


@value
class Reply:
    """What the model answered. ``id`` and ``model`` are the provider's words."""

    id: str
    model: str
    blocks: tuple[ContentBlock, ...]
    reason: StopReason
    stop_sequence: str | None = None
    details: StopDetails | None = None
    usage: Usage = NO_USAGE
