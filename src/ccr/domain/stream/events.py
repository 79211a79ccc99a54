"""A reply as it happens: a closed union of events.

One block is open at a time, so deltas need no index. Every stream ends in MessageStop or StreamFailed, always last.
"""

from __future__ import annotations

from typing import TypeAlias

from ccr.domain.conversation.blocks import ContentBlock
from ccr.domain.conversation.citations import Citation
from ccr.domain.errors import GatewayError
from ccr.domain.provenance import Seal
from ccr.domain.reply import StopDetails, StopReason
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.value import value

__all__ = [
    "BlockStart",
    "BlockStop",
    "CitationDelta",
    "MessageStart",
    "MessageStop",
    "SealDelta",
    "StreamEvent",
    "StreamFailed",
    "TextDelta",
    "ThinkingDelta",
    "ToolInputDelta",
    "UsageUpdate",
]


@value
class MessageStart:
    """The reply begins. ``usage`` holds what is known so early."""

    id: str
    model: str
    usage: Usage = NO_USAGE


@value
class BlockStart:
    """A block opens; indices count 0, 1, 2, ...

    Text, Thinking, ToolCall and ServerToolCall start empty (text ``""``, input ``""``) and are filled by deltas;
    every other block is atomic: complete at its start, without deltas.
    """

    index: int
    block: ContentBlock


@value
class TextDelta:
    """More text of the open Text block."""

    text: str


@value
class ThinkingDelta:
    """More text of the open Thinking block."""

    text: str


@value
class SealDelta:
    """The seal of the open Thinking or ToolCall block; the last one counts."""

    seal: Seal


@value
class ToolInputDelta:
    """More JSON text of the open ToolCall or ServerToolCall."""

    text: str


@value
class CitationDelta:
    """A citation of the open Text block."""

    citation: Citation


@value
class BlockStop:
    """The open block is complete."""

    index: int


@value
class UsageUpdate:
    """A later report of the usage of this reply."""

    usage: Usage


@value
class MessageStop:
    """The provider said that the reply is complete. ``usage`` is what this last message says, to be merged."""

    reason: StopReason
    stop_sequence: str | None = None
    details: StopDetails | None = None
    usage: Usage = NO_USAGE


@value
class StreamFailed:
    """The reply ends without an end."""

    error: GatewayError


StreamEvent: TypeAlias = (
    MessageStart
    | BlockStart
    | TextDelta
    | ThinkingDelta
    | SealDelta
    | ToolInputDelta
    | CitationDelta
    | BlockStop
    | UsageUpdate
    | MessageStop
    | StreamFailed
)
