"""Writes answers to ASGI."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ccr.domain.errors import ClientGoneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from litestar.types import Send

    from ccr.application.call import Answer

__all__ = ["send_answer", "send_body"]


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]


async def send_body(
    send: Send, status: int, headers: Iterable[tuple[str, str]], body: bytes, *, head: bool = False
) -> None:
    """Send a whole reply; to a HEAD without its body."""
    pairs = _encoded(headers)
    pairs.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if head else body, "more_body": False})


async def send_answer(send: Send, answer: Answer, patience: float | None = None) -> None:
    """Send an Answer, whole or relayed; the relay's bytes go out as they come.

    ``patience``: seconds that the client may take to accept what the server's buffers have no room for; None = no limit.

    Raises:
        ClientGoneError: it was over.
    """
    if answer.relay is None:
        await send_body(send, answer.status, answer.headers, answer.body)
        return
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(answer.headers)})
    body = _Body(send, patience)
    try:
        await answer.relay(body.write)
    finally:
        body.close()
        # Cut off when the process ends, the relay has had its last words; they count in a reply that has an end. Where
        # nobody reads, to send it would be to wait again.
        if not body.stuck:
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Body:
    """The body of a relayed reply. One timer looks after all its writes: to arm one for each costs ten times this."""

    __slots__ = ("_began", "_loop", "_patience", "_send", "_timer", "_writer", "stuck")

    def __init__(self, send: Send, patience: float | None) -> None:
        self._send = send
        self._patience = patience
        self._loop = asyncio.get_running_loop()
        self._began = 0.0
        self._writer: asyncio.Task[None] | None = None
        self._timer = None if patience is None else self._loop.call_later(patience, self._look)
        self.stuck = False

    async def write(self, data: bytes) -> None:
        """Send a piece. Raises ClientGoneError when the patience is over."""
        self._writer = writer = asyncio.current_task()
        self._began = self._loop.time()
        cancelled = writer.cancelling() if writer is not None else 0
        try:
            await self._send({"type": "http.response.body", "body": data, "more_body": True})
        except asyncio.CancelledError:
            # As asyncio.timeout does: ours, unless somebody else has cancelled meanwhile.
            if not self.stuck or writer is None or writer.uncancel() > cancelled:
                raise
            raise ClientGoneError(f"the client took nothing of its reply for {self._patience:g} s") from None
        finally:
            self._writer = None

    def close(self) -> None:
        """No more writes."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        assert self._patience is not None
        left = self._patience
        if self._writer is not None:
            left = self._began + self._patience - self._loop.time()
            if left <= 0:
                self.stuck = True
                self._writer.cancel()
                return
        self._timer = self._loop.call_later(left, self._look)
