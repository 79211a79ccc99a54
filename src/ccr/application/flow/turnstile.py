"""Lets a crowd in a few at a time, so that the first of it are served while the last still wait."""

from __future__ import annotations

import asyncio
from collections import deque

from attrs import define, field

__all__ = ["Turnstile"]

_WIDTH = 16
"""Requests that begin in one turn of the event loop: about 5 ms of work, after which the loop looks at its sockets again."""


@define(eq=False)
class Turnstile:
    """Passed by every request that is in. Where fewer than ``width`` come in one turn, nobody waits.

    An event loop works off all that is ready before it looks at its sockets. When thousands of requests come in one instant,
    it would read and decide all of them before it saw the first provider's answer, a health check, or a stream that goes on.
    """

    width: int = _WIDTH
    _left: int = field(init=False)
    _waiting: deque[asyncio.Future[None]] = field(factory=deque, init=False)
    _armed: bool = field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._left = self.width

    @property
    def waiting(self) -> int:
        """Requests before it."""
        return len(self._waiting)

    def passed(self) -> bool:
        """Pass, if there is room in this turn; else ``wait`` has to be awaited."""
        if self._left <= 0 or self._waiting:
            return False
        self._left -= 1
        if not self._armed:
            self._arm()
        return True

    async def wait(self) -> None:
        """Wait for a later turn. First come, first served; who is cancelled takes nobody's place."""
        loop = asyncio.get_running_loop()
        turn = loop.create_future()
        self._waiting.append(turn)
        if not self._armed:
            self._arm()
        await turn

    def _arm(self) -> None:
        self._armed = True
        asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        """A turn of the loop later."""
        idle = self._left == self.width and not self._waiting
        self._left = self.width
        while self._left > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                self._left -= 1
        if idle:
            self._armed = False
        else:
            self._arm()
