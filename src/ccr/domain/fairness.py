"""Who is next: ranks first, then callers in turn, then each caller's own order. Pure."""

from __future__ import annotations

from collections import OrderedDict, deque
from enum import IntEnum
from typing import Generic, TypeVar

from attrs import define, field

__all__ = ["FairQueue", "Rank"]

T = TypeVar("T")


class Rank(IntEnum):
    """What goes before what: a person waits for a main turn, a subagent's turn holds up a main turn, nobody waits for the
    rest.
    """

    MAIN = 0
    SUBAGENT = 1
    AUXILIARY = 2


@define(eq=False)
class FairQueue(Generic[T]):
    """A caller with a hundred waiting gets one turn in a round, as the one with a single request does."""

    _callers: dict[Rank, OrderedDict[str, deque[T]]] = field(
        factory=lambda: {rank: OrderedDict() for rank in Rank}, init=False
    )
    _size: int = field(default=0, init=False)

    def __len__(self) -> int:
        return self._size

    def push(self, caller: str, rank: Rank, item: T) -> None:
        """Put an item at the end of its caller's own line."""
        self._callers[rank].setdefault(caller, deque()).append(item)
        self._size += 1

    def pop(self) -> T:
        """Take the next item. Raises IndexError when there is none."""
        for lines in self._callers.values():
            if lines:
                caller, line = next(iter(lines.items()))
                item = line.popleft()
                if line:
                    lines.move_to_end(caller)
                else:
                    del lines[caller]
                self._size -= 1
                return item
        raise IndexError("nobody waits")

    def remove(self, caller: str, rank: Rank, item: T) -> bool:
        """Take out an item that no longer waits; whether it was there."""
        lines = self._callers[rank]
        line = lines.get(caller)
        if line is None or item not in line:
            return False
        line.remove(item)
        if not line:
            del lines[caller]
        self._size -= 1
        return True
