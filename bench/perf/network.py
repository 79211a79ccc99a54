"""The provider's side of the wire without a kernel: transports that answer from memory.

The pool, its connections and its parser are the real ones; only the dialler is ours. What the event loop and libuv
spend on a socket (some microseconds a read) is therefore not in the figures.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest import mock

from ccr.adapters.upstream import pool

if TYPE_CHECKING:
    import ssl

    from ccr.adapters.upstream.connection import Connection
    from ccr.adapters.upstream.ssrf import Fence

HOPS = 3
"""Turns of the event loop between two reads of a paced reply: one more than the gateway needs to pass on the one before."""


class Network:
    """``reply`` answers every request, a read for each of its pieces.

    While ``holding``, replies stop after their first piece, until ``release``.
    """

    def __init__(self) -> None:
        self.reply: Sequence[bytes] = ()
        self.holding = False
        self._held: list[MemoryTransport] = []

    def hold(self, transport: MemoryTransport) -> None:
        self._held.append(transport)

    def release(self) -> None:
        self.holding = False
        for transport in self._held:
            transport.read()
        self._held.clear()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Let every connection that is dialled be one of ours."""

        async def dial(connection: Connection, context: ssl.SSLContext, fence: Fence) -> None:
            del context, fence
            await asyncio.sleep(0)
            connection.connection_made(MemoryTransport(connection, self))

        with mock.patch.object(pool, "dial", dial):
            yield


class MemoryTransport(asyncio.Transport):
    """One connection. Its socket is a real one on which nothing ever happens: the pool polls it before each use."""

    def __init__(self, connection: Connection, network: Network) -> None:
        self._mine, self._theirs = socket.socketpair()
        super().__init__({"socket": self._mine})
        self._connection = connection
        self._network = network
        self._loop = asyncio.get_running_loop()
        self._closing = False
        self._wanted = 0
        self._pieces: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        """Take a part of the request; its end is known by its Content-Length."""
        if not self._wanted:
            head = bytes(data[:4096])
            at = head.lower().index(b"\r\ncontent-length:") + 17
            self._wanted = head.index(b"\r\n\r\n") + 4 + int(head[at : head.index(b"\r\n", at)])
        self._wanted -= len(data)
        if self._wanted <= 0:
            self._wanted = 0
            self._pieces = list(reversed(self._network.reply))
            self._loop.call_soon(self.read)

    def read(self) -> None:
        """Let the connection read one piece, in as many reads as its buffer needs."""
        if self._closing:
            return
        rest = memoryview(self._pieces.pop())
        while rest:
            buffer = self._connection.get_buffer(len(rest))
            size = min(len(rest), len(buffer))
            buffer[:size] = rest[:size]
            self._connection.buffer_updated(size)
            rest = rest[size:]
        if not self._pieces:
            return
        if self._network.holding:
            self._network.hold(self)
        else:
            self._hop(HOPS)

    def _hop(self, left: int) -> None:
        if left:
            self._loop.call_soon(self._hop, left - 1)
        else:
            self.read()

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self._closing

    def pause_reading(self) -> None:
        """No piece is so large that the next read would have to wait."""

    def resume_reading(self) -> None:
        """As above."""

    def abort(self) -> None:
        if not self._closing:
            self._closing = True
            self._loop.call_soon(self._lost)

    close = abort

    def _lost(self) -> None:
        self._connection.connection_lost(None)
        self._mine.close()
        self._theirs.close()
