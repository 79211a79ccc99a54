"""One reply made of several upstream replies, such as the rounds of a search loop. Pure: fed and returns.

The client sees one message: one start, blocks counted on, one end, usage summed. Calls of the tool that is answered on
the way are not shown; whoever drives the splice puts something in their place (:meth:`Splice.insert`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import ServerToolCall, ToolCall
from ccr.domain.stream.events import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamFailed,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.stream.fold import Folder
from ccr.domain.usage import NO_USAGE, Usage
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.domain.conversation.blocks import ContentBlock, ServerToolResult
    from ccr.domain.reply import StopReason
    from ccr.domain.stream.events import StreamEvent

__all__ = ["Splice"]


class Splice:
    """Feed it the events of a round; when ``stop`` is there, call either :meth:`turn` or :meth:`end`.

    Args:
        answered: name of the tool whose calls are not shown.

    Attributes:
        stop: how the round under way ended; None while it goes on.
        failed: a round failed, and with it the whole.
    """

    def __init__(self, answered: str) -> None:
        self._answered = answered
        self._round = Folder()
        self._before = NO_USAGE  # what the rounds before this one came to
        self._now = NO_USAGE
        self._started = False
        self._hidden = False  # the block that is open is not shown
        self._index = 0
        self.stop: MessageStop | None = None
        self.failed = False

    @property
    def usage(self) -> Usage:
        """Of all rounds so far."""
        return self._before.plus(self._now)

    @property
    def blocks(self) -> tuple[ContentBlock, ...]:
        """What the round said, hidden calls included; once it has ended."""
        return self._round.reply().blocks

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The hidden calls of the round; once it has ended."""
        return tuple(
            block for block in self.blocks if isinstance(block, ToolCall) and block.name == self._answered
        )

    @property
    def others(self) -> bool:
        """Whether the round called a tool that the client runs; once it has ended."""
        return any(isinstance(block, ToolCall) and not self._is_answered(block) for block in self.blocks)

    def feed(self, events: Iterable[StreamEvent]) -> list[StreamEvent]:
        """Take legal events of a round, in pieces of any size; return those for the client."""
        shown: list[StreamEvent] = []
        for event in events:
            if self.stop is not None or self.failed:
                break
            self._round.feed((event,))
            self._one(event, shown)
        return shown

    def insert(self, block: ServerToolCall | ServerToolResult) -> list[StreamEvent]:
        """Return a whole block of our own; between two rounds."""
        events: list[StreamEvent] = [BlockStart(self._index, block)]
        if isinstance(block, ServerToolCall):
            given = block.input
            events = [
                BlockStart(self._index, evolve(block, input="")),
                ToolInputDelta(given.data.decode() if isinstance(given, Json) else given),
            ]
        events.append(BlockStop(self._index))
        self._index += 1
        return events

    def count(self, searches: int) -> None:
        """Add searches to the usage."""
        self._before = self._before.plus(Usage(searches=searches))

    def turn(self) -> None:
        """Begin the next round."""
        self._before, self._now = self.usage, NO_USAGE
        self._round, self.stop = Folder(), None

    def end(self, reason: StopReason | None = None) -> list[StreamEvent]:
        """Return the end of the whole: as the last round ended, or for a ``reason`` of our own."""
        if self.stop is None:
            raise RuntimeError("the round has not ended")
        said = self.stop if reason is None else MessageStop(reason)
        return [evolve(said, usage=self.usage)]

    def _is_answered(self, block: ContentBlock) -> bool:
        return isinstance(block, ToolCall) and block.name == self._answered

    def _one(self, event: StreamEvent, shown: list[StreamEvent]) -> None:
        match event:
            case MessageStart(usage=usage):
                self._now = self._now.merged(usage)
                first = evolve(event, usage=self.usage)
                shown.append(UsageUpdate(self.usage) if self._started else first)
                self._started = True
            case UsageUpdate(usage=usage):
                self._now = self._now.merged(usage)
                shown.append(UsageUpdate(self.usage))
            case MessageStop(usage=usage):
                self._now = self._now.merged(usage)
                self.stop = event
            case StreamFailed():
                self.failed = True
                shown.append(event)
            case BlockStart(block=block):
                self._hidden = self._is_answered(block)
                if not self._hidden:
                    shown.append(BlockStart(self._index, block))
            case BlockStop():
                if not self._hidden:
                    shown.append(BlockStop(self._index))
                    self._index += 1
                self._hidden = False
            case _:
                if not self._hidden:
                    shown.append(event)
