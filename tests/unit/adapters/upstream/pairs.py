"""Connections over socket pairs: the real event loop and transports without a network."""

from __future__ import annotations

import asyncio
import socket
import ssl

from ccr.adapters.upstream.connection import Connection
from ccr.adapters.upstream.pool import Pool
from ccr.adapters.upstream.request import Origin
from ccr.application.ports.upstream import Timeouts, UpstreamRequest

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
REQUEST = UpstreamRequest("POST", "http://up:1/", (), b"{}", Timeouts(first_byte=2.0))


class PairPool(Pool):
    """A pool whose connections lead to `peers`, youngest last."""

    def __init__(self, *, idle_timeout: float = 30.0, max_idle: int = 100) -> None:
        super().__init__(
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), idle_timeout=idle_timeout, max_idle=max_idle
        )
        self.peers: list[socket.socket] = []
        self.greeting = b""

    async def _dial(self, origin: Origin, limit: float | None) -> Connection:
        ours, peer = socket.socketpair()
        peer.setblocking(False)
        connection = Connection(origin, self._lost, self._buffer)
        await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
        self._open.add(connection)
        self._dialled += 1
        self.peers.append(peer)
        if self.greeting:
            peer.send(self.greeting)
        return connection

    async def aclose(self) -> None:
        await super().aclose()
        for peer in self.peers:
            peer.close()


async def ticks(count: int = 5) -> None:
    """Let the loop look at its sockets."""
    for _ in range(count):
        await asyncio.sleep(0.001)
