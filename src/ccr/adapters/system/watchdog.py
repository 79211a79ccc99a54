"""Notices when the event loop stands still, and says where: code that computes or sleeps in it stops every stream."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable

__all__ = ["LoopWatchdog"]

_TICK = 0.5
"""Seconds between two looks."""
_FRAMES = 12
"""Innermost ones that are told: file, line and function, never a value."""


class LoopWatchdog:
    """A thread that looks whether the loop has ticked since it last looked.

    It counts its own looks, not seconds: a process that was stopped, or a machine that slept, is no hang.
    """

    def __init__(
        self, report: Callable[[float, str], None], *, limit: float = 2.0, tick: float = _TICK
    ) -> None:
        """``report`` is told, from the thread, the seconds that the loop has stood still and where it stands; once a hang.

        ``limit`` and ``tick`` in seconds.
        """
        self._report = report
        self._limit = limit
        self._tick = tick
        self._ticks = 0
        self._handle: asyncio.TimerHandle | None = None
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Watch the running loop, from its own thread."""
        loop = asyncio.get_running_loop()
        watched = threading.get_ident()

        def ticked() -> None:
            self._ticks += 1
            self._handle = loop.call_later(self._tick, ticked)

        ticked()
        self._thread = threading.Thread(target=self._watch, args=(watched,), name="ccr-watchdog", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._over.set()
        if self._handle is not None:
            self._handle.cancel()

    def _watch(self, watched: int) -> None:
        seen, still = self._ticks, 0
        while not self._over.wait(self._tick):
            if self._ticks != seen:
                seen, still = self._ticks, 0
                continue
            still += 1
            # Reported at the look at which the limit is passed, and not again until the loop has ticked.
            if (still - 1) * self._tick < self._limit <= still * self._tick:
                self._report(still * self._tick, _stack(watched))


def _stack(thread: int) -> str:
    frame = sys._current_frames().get(thread)  # noqa: SLF001  # there is no other way to see another thread's
    if frame is None:
        return ""
    frames = traceback.extract_stack(frame, limit=None)[-_FRAMES:]
    return "\n".join(f"  {one.filename}:{one.lineno} in {one.name}" for one in frames)
