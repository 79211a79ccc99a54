"""What is going on and what was decided: both bounded, both for people and for drain."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from itertools import islice
from typing import TYPE_CHECKING

from ccr.domain.value import value

if TYPE_CHECKING:
    from ccr.domain.facts import RequestFacts
    from ccr.domain.routing.decision import RouteDecision

__all__ = ["Decided", "Tracker"]

_RING = 1000
"""Decisions that are remembered; one is about 3 kB, most of it shared."""


@value
class Decided:
    """A decision, and the facts it was made of (no prompt text)."""

    request_id: str
    facts: RequestFacts
    decision: RouteDecision


class Tracker:
    """Counts requests that are in, and keeps the last decisions by request id."""

    def __init__(self, ring: int = _RING) -> None:
        self._ring = ring
        self._decided: OrderedDict[str, Decided] = OrderedDict()
        self._active = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def active(self) -> int:
        """Requests that have entered and not left."""
        return self._active

    def enter(self) -> None:
        """A request was let in."""
        self._active += 1
        self._idle.clear()

    def leave(self) -> None:
        """A request that was let in has ended."""
        self._active -= 1
        if self._active == 0:
            self._idle.set()

    async def idle(self, timeout: float | None) -> bool:  # noqa: ASYNC109 -- a wait that ends either way, not a deadline
        """Wait until no request is in, or ``timeout`` seconds have passed; say which."""
        try:
            async with asyncio.timeout(timeout):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    def remember(self, request_id: str, facts: RequestFacts, decision: RouteDecision) -> None:
        """Keep a decision; the oldest goes when the ring is full."""
        self._decided[request_id] = Decided(request_id, facts, decision)
        self._decided.move_to_end(request_id)
        if len(self._decided) > self._ring:
            self._decided.popitem(last=False)

    def find(self, request_id: str) -> Decided | None:
        """Return the decision of a request, None if it is not, or no longer, known."""
        return self._decided.get(request_id)

    def recent(self, most: int) -> list[Decided]:
        """Return the newest decisions, newest first."""
        return list(islice(reversed(self._decided.values()), most))
