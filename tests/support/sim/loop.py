"""An event loop whose time is a number: when nothing is ready, it is the time of the next timer."""

from __future__ import annotations

import asyncio
from asyncio.base_events import BaseEventLoop
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

__all__ = ["StuckError", "VirtualClock", "VirtualLoop", "simulate"]

T = TypeVar("T")
_DAWN = datetime(2026, 1, 1, tzinfo=UTC)
_BEGIN = 1_000.0
"""A time of nought would hide whoever takes nought for "never"."""


class StuckError(AssertionError):
    """Everybody waits for somebody, and no timer runs: in the real world this would hang for ever."""


class _Selector:
    """Waits for nobody: there are no sockets."""

    def __init__(self, loop: VirtualLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        self._loop.step(timeout)
        return []


class VirtualLoop(BaseEventLoop):
    """No sockets, no threads, no sleeping. ``watch`` is called at every turn, before what is ready runs."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Selector(self)
        self._now = _BEGIN
        # Beside thousands of seconds a sum of floats is not exact: a timer that is due within this is due now.
        self._clock_resolution = 1e-9
        self.steps = 0
        self.watch: Callable[[], None] | None = None

    def time(self) -> float:
        """Return virtual seconds."""
        return self._now

    def step(self, timeout: float | None) -> None:
        """Let time pass until the next timer. Raises StuckError if there is none."""
        self.steps += 1
        if self.watch is not None:
            self.watch()
        if timeout is None:
            raise StuckError("nothing is ready and no timer runs")
        self._now += max(0.0, timeout)

    def run_in_executor(  # type: ignore[override]  # the same, but for its type variables
        self, executor: Executor | None, func: Any, *args: Any
    ) -> Any:
        """Do the work at once: a thread's time would be real."""
        del executor
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - it is whoever awaits it who is to see it
            done.set_exception(error)
        return done

    def _process_events(self, _event_list: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        raise AssertionError("a simulation has no threads")


class VirtualClock:
    """The ``Clock`` port over a loop's time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def now(self) -> datetime:
        """Return the time of day."""
        return _DAWN + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        """Return the loop's time."""
        return self._loop.time()


def simulate(made: Callable[[VirtualLoop], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine to its end. Raises StuckError, and whatever it raises."""
    loop = VirtualLoop()
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(made(loop))
    finally:
        loop.watch = None
        _end_all(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _end_all(loop: VirtualLoop) -> None:
    """A run that failed leaves tasks behind; they are not to complain while the next one runs."""
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
