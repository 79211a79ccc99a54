"""A time limit for others, which does not count the time in which we were not looking."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["Patience"]

_STEP = 0.25
"""Seconds between two looks at the clock; never more than a quarter of the limit."""
_LATE = 0.05
"""A look that comes later than this was kept waiting by the loop."""


class Patience:
    """``asyncio.timeout`` that is prolonged by as long as the event loop stood still.

    When thousands of requests begin in one instant, the loop comes back to a connection that stands since long only
    when its limit has passed, and timers are looked at before sockets: without this a busy moment of ours would pass
    for a provider that does not answer.

    Raises TimeoutError at its end, as ``asyncio.timeout`` does. ``limit`` in seconds; None = none.
    """

    __slots__ = ("_due", "_handle", "_limit", "_step", "_timeout")

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._step = min(_STEP, limit / 4) if limit is not None else 0.0
        self._due = 0.0
        self._timeout = asyncio.timeout(limit)
        self._handle: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        if self._limit is not None:
            self._look_again(asyncio.get_running_loop())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._handle is not None:
            self._handle.cancel()
        await self._timeout.__aexit__(kind, error, trace)

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        self._due = loop.time() + self._step
        self._handle = loop.call_at(self._due, self._look, loop)

    def _look(self, loop: asyncio.AbstractEventLoop) -> None:
        """Timers run in the order of their times: this comes before a limit that has passed meanwhile."""
        late = loop.time() - self._due
        ends = self._timeout.when()
        if self._timeout.expired() or ends is None:
            return
        if late > _LATE:
            self._timeout.reschedule(ends + late)
        self._look_again(loop)
