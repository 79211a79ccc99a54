"""Which events may follow which: one table, checked in every test on every decoder and stage.

``IDLE -MessageStart-> MESSAGE -BlockStart-> TEXT | THINKING | TOOL | SERVER_TOOL | ATOMIC -BlockStop-> MESSAGE
-MessageStop-> DONE``; StreamFailed from anywhere but the end. UsageUpdate is legal whenever a message is open.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import ServerToolCall, Text, Thinking, ToolCall
from ccr.domain.stream.events import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.domain.stream.events import StreamEvent

__all__ = ["GRAMMAR", "OPENS", "GrammarError", "StreamGrammar", "StreamPhase"]


class StreamPhase(Enum):
    """Where a stream is."""

    IDLE = "idle"
    MESSAGE = "message"
    TEXT = "text"
    THINKING = "thinking"
    TOOL = "tool"
    SERVER_TOOL = "server_tool"
    ATOMIC = "atomic"
    DONE = "done"
    FAILED = "failed"


_OPEN = (
    StreamPhase.TEXT,
    StreamPhase.THINKING,
    StreamPhase.TOOL,
    StreamPhase.SERVER_TOOL,
    StreamPhase.ATOMIC,
)
_LIVE = (StreamPhase.MESSAGE, *_OPEN)

OPENS: dict[type, StreamPhase] = {
    Text: StreamPhase.TEXT,
    Thinking: StreamPhase.THINKING,
    ToolCall: StreamPhase.TOOL,
    ServerToolCall: StreamPhase.SERVER_TOOL,
}
"""What a BlockStart opens; every other block is ATOMIC."""

GRAMMAR: dict[tuple[StreamPhase, type], StreamPhase] = {
    (StreamPhase.IDLE, MessageStart): StreamPhase.MESSAGE,
    (StreamPhase.TEXT, TextDelta): StreamPhase.TEXT,
    (StreamPhase.TEXT, CitationDelta): StreamPhase.TEXT,
    (StreamPhase.THINKING, ThinkingDelta): StreamPhase.THINKING,
    (StreamPhase.THINKING, SealDelta): StreamPhase.THINKING,
    (StreamPhase.TOOL, ToolInputDelta): StreamPhase.TOOL,
    (StreamPhase.TOOL, SealDelta): StreamPhase.TOOL,
    (StreamPhase.SERVER_TOOL, ToolInputDelta): StreamPhase.SERVER_TOOL,
    (StreamPhase.MESSAGE, MessageStop): StreamPhase.DONE,
    **{(phase, BlockStop): StreamPhase.MESSAGE for phase in _OPEN},
    **{(phase, UsageUpdate): phase for phase in _LIVE},
    **{(phase, StreamFailed): StreamPhase.FAILED for phase in (StreamPhase.IDLE, *_LIVE)},
}


class GrammarError(AssertionError):
    """A decoder or stage made an illegal stream: a fault of ours, never the provider's."""


class StreamGrammar:
    """Walks the table; ``check`` raises GrammarError on an illegal event, ``ended`` is true after the last one."""

    def __init__(self) -> None:
        self.phase = StreamPhase.IDLE
        self._next_index = 0

    @property
    def ended(self) -> bool:
        """True once MessageStop or StreamFailed was seen."""
        return self.phase in (StreamPhase.DONE, StreamPhase.FAILED)

    @property
    def blocks(self) -> int:
        """How many blocks are complete."""
        return self._next_index

    def check(self, events: Iterable[StreamEvent]) -> None:
        """Take events in order."""
        for event in events:
            self._step(event)

    def _step(self, event: StreamEvent) -> None:
        if type(event) is BlockStart:
            if self.phase is not StreamPhase.MESSAGE or event.index != self._next_index:
                raise GrammarError(f"{event!r} in {self.phase} (next index {self._next_index})")
            self.phase = OPENS.get(type(event.block), StreamPhase.ATOMIC)
            return
        if type(event) is BlockStop:
            if event.index != self._next_index:
                raise GrammarError(f"{event!r} closes another block than {self._next_index}")
            self._next_index += 1
        following = GRAMMAR.get((self.phase, type(event)))
        if following is None:
            raise GrammarError(f"{event!r} in {self.phase}")
        self.phase = following
