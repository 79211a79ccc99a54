"""A thread with an event loop of its own for code that is not ours: if it blocks, it blocks only itself."""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["Worker"]


class Worker:
    """Runs one function, plain or async. Starts with its first call; ends when nobody holds it any more."""

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        self._function = function
        self._name = name
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, *arguments: object) -> object:
        """Call the function and return what it returns; cancelling stops an async one at its next await."""
        loop = self._started()
        future = asyncio.run_coroutine_threadsafe(_called(self._function, arguments), loop)
        return await asyncio.wrap_future(future)

    def _started(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            loop = self._loop = asyncio.new_event_loop()
            # A daemon, so that a router that hangs cannot keep the process from ending.
            threading.Thread(target=_run, args=(loop,), name=self._name, daemon=True).start()
            weakref.finalize(self, _stop, loop)
        return self._loop


async def _called(function: Callable[..., Any], arguments: tuple[object, ...]) -> object:
    try:
        found = function(*arguments)
        return await found if inspect.isawaitable(found) else found
    except (SystemExit, KeyboardInterrupt) as error:
        # Would end the loop, and with it every later call.
        raise RuntimeError(f"it raised {type(error).__name__}") from error


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        loop.close()


def _stop(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
