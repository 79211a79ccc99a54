"""The pool of direct HTTP/1.1 connections: exclusive while lent, last in first out while idle, O(1) throughout."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from attrs import define

from ccr.adapters.upstream.connection import READ_SIZE, Connection
from ccr.adapters.upstream.dial import dial
from ccr.adapters.upstream.error_map import after_sending, before_sending, mapped_errors, timed_out
from ccr.adapters.upstream.parser import ResponseParser
from ccr.adapters.upstream.patience import Patience
from ccr.adapters.upstream.request import locate, write_head
from ccr.adapters.upstream.response import PooledResponse
from ccr.adapters.upstream.ssrf import Fence
from ccr.domain.errors import UpstreamProtocolError, UpstreamUnavailableError

if TYPE_CHECKING:
    import ssl

    from ccr.adapters.upstream.request import Origin, Place
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["Pool", "PoolStats"]

_STALE_WITHIN = 5.0  # seconds; a reused connection that dies later than this had taken the request
_KEEP_ALIVE = re.compile(r"timeout\s*=\s*\"?(\d+)")


@define
class PoolStats:
    """Counters since the start; ``open`` = connected now, ``idle`` of them lie in the pool."""

    open: int = 0
    idle: int = 0
    dialled: int = 0
    reused: int = 0
    retried: int = 0


class Pool:
    """Opens exchanges over direct connections. Not thread-safe; bound to the loop of its first use.

    A cancellation at any await closes the connection of that exchange and touches nothing else: a connection is in
    the pool only between two exchanges, so there is no shared state that could be left half changed.
    """

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        fence: Fence | None = None,
        idle_timeout: float = 30.0,
        max_idle: int = 100,
    ) -> None:
        """``idle_timeout`` in seconds; ``max_idle`` connections an origin, one more is closed on its return."""
        self._context = context
        self._fence = fence or Fence()
        self._idle_timeout = idle_timeout
        self._max_idle = max_idle
        # A dict is an ordered set: popitem() takes the youngest, iter() begins with the oldest, del is O(1).
        self._idle: dict[Origin, dict[Connection, None]] = {}
        self._open: set[Connection] = set()
        self._buffer = memoryview(bytearray(READ_SIZE))
        self._reaper: asyncio.TimerHandle | None = None
        self._closed = False
        self._dialled = 0
        self._reused = 0
        self._retried = 0

    @property
    def stats(self) -> PoolStats:
        """A snapshot."""
        idle = sum(len(stack) for stack in self._idle.values())
        return PoolStats(len(self._open), idle, self._dialled, self._reused, self._retried)

    async def open(self, request: UpstreamRequest) -> PooledResponse:
        """See ``Upstream.open``; ``Timeouts.total`` bounds this wait only. Redirects are answers like any other.

        ``first_byte`` includes the time to send the body. A request is sent a second time, over a new connection,
        only if a *reused* connection closed before any byte of the answer and at once.

        Raises InternalError for a request that cannot be written (malformed URL or header).
        """
        place = locate(request.url)
        head = write_head(request, place)
        if request.timeouts.total is None:
            return await self._open_one(request, place, head)
        name = place.origin.name
        with mapped_errors(name, "answer", request.timeouts.total):
            async with asyncio.timeout(request.timeouts.total):
                return await self._open_one(request, place, head)

    async def aclose(self) -> None:
        """Close every connection; whoever reads from one gets UpstreamUnavailableError."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        for connection in list(self._open):
            connection.abort()
        for _ in range(2):  # let the loop call connection_lost and close the sockets
            await asyncio.sleep(0)

    async def _open_one(self, request: UpstreamRequest, place: Place, head: bytes) -> PooledResponse:
        loop = asyncio.get_running_loop()
        connection = self._take(place.origin, loop.time())
        if connection is not None:
            sent = loop.time()
            with after_sending():
                parser = self._parser(request, place)
                await self._exchange(connection, parser, request, head)
                if parser.head_done:
                    return self._response(connection, parser)
                assert parser.failure is not None
                connection.abort()
                if parser.received or loop.time() - sent > _STALE_WITHIN or self._closed:
                    raise parser.failure
            self._retried += 1
        with before_sending():
            connection = await self._dial(place.origin, request.timeouts.connect)
        with after_sending():
            parser = self._parser(request, place)
            await self._exchange(connection, parser, request, head)
            if parser.head_done:
                return self._response(connection, parser)
            assert parser.failure is not None
            connection.abort()
            raise parser.failure

    async def _exchange(
        self, connection: Connection, parser: ResponseParser, request: UpstreamRequest, head: bytes
    ) -> None:
        """Send, and wait until the head is there or the parser has failed; anything else closes the connection."""
        limit = request.timeouts.first_byte
        settled = False
        # One timer, and no asyncio.timeout: nothing has to be cancelled to end this wait.
        timer = None if limit is None else asyncio.get_running_loop().call_later(limit, connection.expire)
        try:
            connection.send(head, request.body, parser)
            while not parser.head_done and parser.failure is None:
                if connection.expired:
                    raise timed_out(connection.origin.name, "answer", limit)
                await connection.progress()
            settled = True
        finally:
            if timer is not None:
                timer.cancel()
            if not settled:
                connection.abort()

    async def _dial(self, origin: Origin, limit: float | None) -> Connection:
        if self._closed:
            raise UpstreamUnavailableError(f"No connection to {origin.name}: the transport is closed")
        connection = Connection(origin, self._lost, self._buffer)
        with mapped_errors(origin.name, "connect", limit):
            async with Patience(limit):
                await dial(connection, self._context, self._fence)
        self._dialled += 1
        self._open.add(connection)
        # Lost, or the pool closed, between the handshake and this line.
        if not connection.alive or self._closed:
            self._open.discard(connection)
            connection.abort()
            raise UpstreamUnavailableError(f"{origin.name} closed the connection before it answered")
        return connection

    def _response(self, connection: Connection, parser: ResponseParser) -> PooledResponse:
        try:
            return PooledResponse(connection, parser, self._give_back)
        except UpstreamProtocolError:
            connection.abort()
            raise

    @staticmethod
    def _parser(request: UpstreamRequest, place: Place) -> ResponseParser:
        return ResponseParser(place.origin.name, head_only=request.method == "HEAD")

    # -- the idle ones

    def _take(self, origin: Origin, now: float) -> Connection | None:
        stack = self._idle.get(origin)
        while stack:
            connection, _ = stack.popitem()
            if connection.expires > now and connection.is_quiet():
                self._reused += 1
                return connection
            connection.abort()
        return None

    def _give_back(self, connection: Connection) -> None:
        stack = self._idle.setdefault(connection.origin, {})
        keep = self._idle_timeout
        hint = connection.keep_alive_hint
        if hint and (told := _KEEP_ALIVE.search(hint)):
            # Leave before the server does: its FIN and our request would cross.
            keep = min(keep, int(told[1]) - 1)
        if self._closed or keep <= 0 or len(stack) >= self._max_idle:
            connection.abort()
            return
        loop = asyncio.get_running_loop()
        connection.expires = loop.time() + keep
        stack[connection] = None
        if self._reaper is None:
            self._reaper = loop.call_later(self._idle_timeout, self._reap)

    def _reap(self) -> None:
        """Close what has been idle for too long; runs once an idle timeout, and not at all when nothing is idle."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for origin, stack in list(self._idle.items()):
            for connection in [connection for connection in stack if connection.expires <= now]:
                del stack[connection]
                connection.abort()
            if not stack:
                del self._idle[origin]
        self._reaper = loop.call_later(self._idle_timeout, self._reap) if self._idle else None

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        stack = self._idle.get(connection.origin)
        if stack is not None:
            stack.pop(connection, None)
