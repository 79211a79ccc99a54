"""Places of which somebody watches who gets one, and before whom."""

from __future__ import annotations

import asyncio
from collections import Counter

from attrs import define, field

from ccr.application.call import Disconnect
from ccr.application.flow.queue import Slots
from ccr.domain.fairness import Rank

__all__ = ["WatchedSlots"]


@define(eq=False)
class _Waiting:
    caller: str
    rank: Rank
    since: float
    overtaken: Counter[str] = field(factory=Counter)
    """Turns of others since this one was the first of its caller's."""
    first: bool = False


@define(eq=False)
class WatchedSlots(Slots):
    """Checks order from outside: by who was let in, not by what the queue says."""

    problems: list[str] = field(factory=list)
    waited: int = 0
    _waiting: list[_Waiting] = field(factory=list, init=False)

    async def take(
        self, caller: str, rank: Rank, patience: float, disconnect: Disconnect | None = None
    ) -> bool:
        """Take a place, and be seen to wait for it."""
        if self.has_room or patience <= 0:
            return await super().take(caller, rank, patience, disconnect)
        me = _Waiting(caller, rank, asyncio.get_running_loop().time())
        self._waiting.append(me)
        self._line_up(caller, rank)
        taken = False
        try:
            taken = await super().take(caller, rank, patience, disconnect)
        finally:
            self._waiting.remove(me)
            self._line_up(caller, rank)
            if taken:
                self._let_in(me)
        return taken

    def _line_up(self, caller: str, rank: Rank) -> None:
        line = [one for one in self._waiting if (one.caller, one.rank) == (caller, rank)]
        if line:
            line[0].first = True

    def _let_in(self, me: _Waiting) -> None:
        self.waited += 1
        now = asyncio.get_running_loop().time()
        for other in self._waiting:
            if other.since >= now:
                continue  # came in the same instant
            if other.rank < me.rank:
                self.problems.append(f"{now:.3f}: {me.rank.name} of {me.caller} before {other.rank.name}")
            elif other.rank == me.rank and other.caller != me.caller and other.first:
                other.overtaken[me.caller] += 1
                if other.overtaken[me.caller] > 1:
                    self.problems.append(
                        f"{now:.3f}: {me.caller} had two turns while {other.caller} waited for one"
                    )
