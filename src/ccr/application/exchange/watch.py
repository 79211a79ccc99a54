"""Ends a wait when the client leaves or the reply stands still; says when the client has waited in silence.

``asyncio.wait_for`` is banned (it loses cancellations on Python 3.11, measured), and a task or a timer for every chunk
would cost more than the chunk. One timer a stream looks at two clocks instead.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from ccr.domain.errors import ClientGoneError, GatewayError, UpstreamTimeoutError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from ccr.application.call import Disconnect

__all__ = ["Watch"]

_NEVER = float("inf")


class Watch:
    """A context in which the current task's awaits end with ClientGoneError or UpstreamTimeoutError.

    Args:
        disconnect: says when the client leaves.
        idle: seconds without ``progress()`` after which the provider is given up; None = for ever.
        total: seconds for the whole context; None = no limit.
        quiet: seconds of silence after which ``on_quiet`` is called, and again after as many; None = never.
    """

    def __init__(
        self,
        disconnect: Disconnect,
        *,
        idle: float | None = None,
        total: float | None = None,
        quiet: float | None = None,
        on_quiet: Callable[[], None] | None = None,
    ) -> None:
        self._disconnect = disconnect
        self._idle = idle
        self._total = total
        self._quiet = quiet if on_quiet is not None else None
        self._on_quiet = on_quiet
        self._error: GatewayError | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.paused = False
        """The wait is for the client, not for the provider: its time does not count as idle."""

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Watch works inside a task only")
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._began = self._progressed = self._spoke = self._loop.time()
        self._disconnect.tell(self._gone)
        self._arm()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._disconnect.forget(self._gone)
        if self._error is not None and self._task.uncancel() <= self._cancelling:
            if kind is asyncio.CancelledError:
                raise self._error from exc
            if kind is None:
                raise self._error

    def limit_idle(self, seconds: float | None) -> None:
        """Begin to time progress, from now."""
        self._idle = seconds
        self._progressed = self._loop.time()
        if self._timer is not None:
            self._timer.cancel()
        self._arm()

    def progress(self) -> None:
        """The reply went forward."""
        self._progressed = self._loop.time()

    def spoke(self) -> None:
        """The client was sent something."""
        self._spoke = self._loop.time()

    def _gone(self) -> None:
        self._trip(ClientGoneError("the client closed the connection"))

    def _trip(self, error: GatewayError) -> None:
        if self._error is None:
            self._error = error
            self._task.cancel()

    def _arm(self) -> None:
        due = _NEVER
        if self._idle is not None:
            due = self._progressed + self._idle
        if self._total is not None:
            due = min(due, self._began + self._total)
        if self._quiet is not None:
            due = min(due, self._spoke + self._quiet)
        if due < _NEVER:
            self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        now = self._loop.time()
        if self.paused:
            self._progressed = now
        if self._total is not None and now >= self._began + self._total:
            # ``total`` is what was left of the limit: its own number would puzzle whoever set it.
            return self._trip(UpstreamTimeoutError("the reply was not complete within Timeouts.totalMs"))
        if self._idle is not None and now >= self._progressed + self._idle:
            return self._trip(UpstreamTimeoutError(f"the provider sent nothing new for {self._idle:g} s"))
        if self._quiet is not None and self._on_quiet is not None and now >= self._spoke + self._quiet:
            self._spoke = now
            self._on_quiet()
        return self._arm()
