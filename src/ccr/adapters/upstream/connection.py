"""One socket as an asyncio protocol, lent to one exchange at a time."""

from __future__ import annotations

import asyncio
import select
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.adapters.upstream.parser import ResponseParser
    from ccr.adapters.upstream.request import Origin

__all__ = ["HIGH_WATER", "READ_SIZE", "Connection"]

READ_SIZE = 64 * 1024
"""Bytes read at once. What is read goes on to the client as one piece, and the HTTP server holds several of those for a
client that does not read: with the quarter megabyte that event loops read by themselves that came to 4 MB a stream.
"""
HIGH_WATER = 64 * 1024
"""Body bytes that wait for a slow reader before we stop reading; the read under way may double it."""
_JOIN_BELOW = 64 * 1024  # copying a body of this size costs less than a second system call


class Connection(asyncio.BufferedProtocol):
    """A connection to ``origin``. Between ``send`` and ``detach`` it feeds one parser, otherwise it is idle.

    Whatever arrives while it is idle closes it: nobody asked for it, and it may be meant for an earlier request.
    ``expires`` (loop time) and ``keep_alive_hint`` (what the last answer said) are the pool's.
    """

    __slots__ = (
        "_buffer",
        "_on_lost",
        "_parser",
        "_paused",
        "_poller",
        "_transport",
        "_waiter",
        "expired",
        "expires",
        "keep_alive_hint",
        "origin",
    )

    def __init__(
        self, origin: Origin, on_lost: Callable[[Connection], None], buffer: memoryview | None = None
    ) -> None:
        """``on_lost`` is called once when the connection is gone, whoever closed it. ``buffer`` is where the loop reads to;
        all connections of one loop may share it, for what was read is parsed before anybody else reads.
        """
        self._buffer = memoryview(bytearray(READ_SIZE)) if buffer is None else buffer
        self.origin = origin
        self.expires = 0.0
        self.expired = False
        self.keep_alive_hint = ""
        self._on_lost = on_lost
        self._parser: ResponseParser | None = None
        self._paused = False
        self._poller: select.poll | None = None
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None

    # -- asyncio's side

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Connected, and after the handshake if there is TLS."""
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        if sock is not None:
            self._poller = select.poll()
            self._poller.register(sock.fileno(), select.POLLIN | select.POLLPRI)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Where to read to, whatever size the loop would like. A view: asyncio's TLS writes to slices, which a bytearray copies."""
        del sizehint
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Feed the parser, which copies what it keeps, and wake whoever waits for progress."""
        parser = self._parser
        if parser is None:
            self.abort()
            return
        parser.feed(self._buffer[:nbytes])
        if parser.size > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        if parser.size or parser.head_done or parser.failure is not None:
            self._wake()

    def eof_received(self) -> None:
        """The peer closed its side: the transport closes ours."""
        if self._parser is not None:
            self._parser.end()
            self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Gone, in order or not."""
        self._transport = None
        self._poller = None
        parser = self._parser
        if parser is not None:
            if exc is None:
                parser.end()
            else:
                parser.lost()
        self._wake()  # also whoever still waits for an exchange that another task has closed
        self._on_lost(self)

    # -- the exchange's side

    def send(self, head: bytes, body: bytes, parser: ResponseParser) -> None:
        """Begin an exchange: write the request, direct what comes to ``parser``."""
        self._parser = parser
        # The last exchange's time may have run out in the moment in which its answer came.
        self.expired = False
        transport = self._transport
        if transport is None or transport.is_closing():
            parser.lost()
        elif len(body) < _JOIN_BELOW:
            transport.write(head + body)
        else:
            transport.write(head)
            transport.write(body)

    def expire(self) -> None:
        """The wait for an answer has taken too long: wake whoever waits, who looks at ``expired``."""
        self.expired = True
        self._wake()

    async def progress(self) -> None:
        """Wait until the parser has been given something, or the connection is gone."""
        if self._transport is None:
            return  # the parser knows
        waiter = self._waiter = asyncio.get_running_loop().create_future()
        try:
            await waiter
        finally:
            if self._waiter is waiter:  # not that of the next exchange already
                self._waiter = None

    def resume(self) -> None:
        """The reader has taken everything: read on."""
        if self._paused:
            self._paused = False
            if self._transport is not None and not self._transport.is_closing():
                self._transport.resume_reading()

    def detach(self) -> bool:
        """End an exchange whose response has ended; return whether the connection may serve another."""
        parser, self._parser = self._parser, None
        transport = self._transport
        if parser is None or transport is None or transport.is_closing():
            return False
        # An answer that came before the whole request was read leaves the rest of it in the way.
        clean = parser.ended and parser.keep_alive and not parser.surplus
        if not clean or transport.get_write_buffer_size():
            return False
        self.keep_alive_hint = parser.headers.get("keep-alive", "")
        self.resume()
        return True

    @property
    def alive(self) -> bool:
        """Connected, as far as the loop has noticed."""
        return self._transport is not None and not self._transport.is_closing()

    def is_quiet(self) -> bool:
        """Alive and with nothing to read, asked of the kernel: the loop may not have looked yet."""
        if self._transport is None or self._transport.is_closing() or self._poller is None:
            return False
        return not self._poller.poll(0)

    def abort(self) -> None:
        """Close at once, unsent bytes included. Idempotent."""
        if self._parser is not None:
            self._parser.close()
        if self._transport is not None:
            self._transport.abort()

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
