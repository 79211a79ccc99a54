"""What a reply is made of while it is being read: items in the order they began, each of one or more blocks.

The first block is live: what comes for it goes out at once. The others wait until those before them are complete, because one
block is open at a time, while items may be written side by side (``output_index``).
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.domain.conversation import Thinking
from ccr.domain.stream import BlockStart, BlockStop, TextDelta, ThinkingDelta, ToolInputDelta

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock
    from ccr.domain.stream import StreamEvent

__all__ = ["Block", "Item", "Slots"]

Delta: TypeAlias = type[TextDelta] | type[ThinkingDelta] | type[ToolInputDelta]
_BETWEEN = "\n\n"
"""Between the parts of a summary."""


@define(eq=False)
class Block:
    """One block. It opens with its first event, or at once if it is ``eager``; without either it never was."""

    delta: Delta
    start: ContentBlock | None
    eager: bool = False
    pending: list[StreamEvent] = field(factory=list)
    sizes: dict[str, int] = field(factory=dict)
    citations: int = 0
    opened: bool = False
    closed: bool = False

    def more(self, text: str, part: str = "") -> None:
        """Add a piece of ``part``."""
        if not text:
            return
        sizes = self.sizes
        if part not in sizes:
            if sizes and type(self.start) is Thinking:
                self.pending.append(self.delta(_BETWEEN))
            sizes[part] = 0
        sizes[part] += len(text)
        self.pending.append(self.delta(text))

    def whole(self, text: str, part: str = "") -> None:
        """Take the whole of ``part``, of which any number of pieces may have come."""
        self.more(text[self.sizes.get(part, 0) :], part)


@define(eq=False)
class Item:
    """One output item. ``blocks`` are those that have not gone out; ``parts`` all of a message's, by content index."""

    kind: str
    blocks: deque[Block] = field(factory=deque)
    parts: dict[int, Block] = field(factory=dict)
    done: bool = False

    def block(self, block: Block) -> Block:
        """Add a block."""
        self.blocks.append(block)
        return block

    def close(self) -> None:
        """Say that the item is complete."""
        self.done = True
        for block in self.blocks:
            block.closed = True


class Slots:
    """The queue. ``events`` gathers what goes out; whoever feeds takes it."""

    def __init__(self) -> None:
        self.events: list[StreamEvent] = []
        self._queue: deque[Item] = deque()
        self._index = 0

    def add(self, item: Item) -> Item:
        """Add an item at the end."""
        self._queue.append(item)
        return item

    def finish(self) -> None:
        """Complete whatever is not."""
        for item in self._queue:
            item.close()
        self.pump()

    def pump(self) -> None:
        """Send what can be sent."""
        while self._queue:
            head = self._queue[0]
            while head.blocks:
                block = head.blocks[0]
                self._send(block)
                if not block.closed:
                    return
                self._stop(block)
                head.blocks.popleft()
            if not head.done:
                return
            self._queue.popleft()

    def _send(self, block: Block) -> None:
        if block.start is None or not (block.pending or block.opened or block.eager):
            return
        if not block.opened:
            block.opened = True
            self.events.append(BlockStart(self._index, block.start))
        self.events += block.pending
        block.pending.clear()

    def _stop(self, block: Block) -> None:
        if block.opened:
            self.events.append(BlockStop(self._index))
            self._index += 1
