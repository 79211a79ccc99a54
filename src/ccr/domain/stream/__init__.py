"""Replies as they happen: events, their grammar, and folding."""

from __future__ import annotations

from ccr.domain.stream.events import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.stream.fold import Folder, fold, unfold
from ccr.domain.stream.grammar import GRAMMAR, GrammarError, StreamGrammar, StreamPhase

__all__ = [
    "GRAMMAR",
    "BlockStart",
    "BlockStop",
    "CitationDelta",
    "Folder",
    "GrammarError",
    "MessageStart",
    "MessageStop",
    "SealDelta",
    "StreamEvent",
    "StreamFailed",
    "StreamGrammar",
    "StreamPhase",
    "TextDelta",
    "ThinkingDelta",
    "ToolInputDelta",
    "UsageUpdate",
    "fold",
    "unfold",
]
