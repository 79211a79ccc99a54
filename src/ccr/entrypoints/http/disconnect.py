"""Reads a request body within bounds, then waits for the client to leave.

Under raw ASGI nobody cancels for us, and ``send`` after a disconnect is swallowed in silence (measured on Granian):
``receive()`` is the only one who tells.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from ccr.application.call import Disconnect
from ccr.domain.errors import BodyTooLargeError, ClientGoneError, InvalidRequestError

if TYPE_CHECKING:
    from litestar.types import Receive

    from ccr.application.settings import LimitSettings

__all__ = ["Body", "Incoming"]

_LINGER = 5.0
"""Seconds that a refused body gets to come in."""
_MOST_LINGERED = 64 * 1024 * 1024


class Body:
    """``receive`` of a request that may carry a body; knows whether all of it was read, or cannot be.

    A server that closes a connection on which bytes still come in resets it, and the reset takes our answer with it
    (RFC 9112 9.6): what was refused unread is read away for a while.
    """

    __slots__ = ("_receive", "broken", "over")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.over = False
        self.broken = False
        """It ended before its end: the client left, or its chunks make no sense. The server does not say which."""

    async def __call__(self) -> Any:
        """Receive the next message."""
        message: Any = await self._receive()
        if message["type"] == "http.disconnect" and not self.over:
            self.broken = True
        if message["type"] != "http.request" or not message.get("more_body", False):
            self.over = True
        return message

    async def read_away(self) -> None:
        """Read what is left and forget it, within bounds."""
        size = 0
        try:
            async with asyncio.timeout(_LINGER):
                while not self.over and size < _MOST_LINGERED:
                    message = await self()
                    size += len(message.get("body", b""))
        except TimeoutError:
            return


class _Patience:
    """Cancels the current task when a wait is too long, as ``asyncio.timeout`` does, at a third of its price."""

    __slots__ = ("_cancelling", "_deadline", "_expired", "_idle", "_loop", "_task", "_timer")

    def __init__(self, idle: float, total: float) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._cancelling = task.cancelling()
        self._loop = task.get_loop()
        self._idle = idle
        now = self._loop.time()
        self._deadline = now + total
        self._expired = False
        self._timer = self._loop.call_at(min(now + idle, self._deadline), self._expire)

    def renew(self) -> None:
        """Something has come."""
        self._timer.cancel()
        self._timer = self._loop.call_at(min(self._loop.time() + self._idle, self._deadline), self._expire)

    def close(self) -> None:
        """The wait has ended."""
        self._timer.cancel()

    @property
    def is_over(self) -> bool:
        """Whether the cancellation under way is this one's, and nobody else's; to be asked once."""
        return self._expired and self._task.uncancel() <= self._cancelling

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


class Incoming:
    """The receiving side of one request."""

    def __init__(self, receive: Receive, limits: LimitSettings) -> None:
        self.disconnect = Disconnect()
        self._receive = receive
        self._limits = limits
        self._watcher: asyncio.Task[None] | None = None

    async def load(self) -> bytes:
        """Return the whole body and begin to watch for the client leaving.

        Raises:
            BodyTooLargeError: more than ``max_body`` bytes came.
            InvalidRequestError: the body did not arrive in time.
            ClientGoneError: the client left meanwhile.
        """
        pieces: list[bytes] = []
        size = 0
        limits = self._limits
        patience = _Patience(limits.body_idle, limits.body_total)
        try:
            while True:
                message = await self._receive()
                if message["type"] != "http.request":
                    raise ClientGoneError("the client left while it was sending its request")
                piece = message.get("body", b"")
                size += len(piece)
                if size > limits.max_body:
                    raise BodyTooLargeError(f"the request body is larger than {limits.max_body} bytes")
                pieces.append(piece)
                if not message.get("more_body", False):
                    break
                patience.renew()
        except asyncio.CancelledError:
            if patience.is_over:
                raise InvalidRequestError("the request body did not arrive in time") from None
            raise
        finally:
            patience.close()
        self.watch()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def watch(self) -> None:
        """Begin to wait for the client to leave."""
        if self._watcher is None:
            self._watcher = asyncio.get_running_loop().create_task(self._wait())

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.disconnect.set()

    def close(self) -> None:
        """Stop waiting."""
        if self._watcher is not None:
            self._watcher.cancel()
