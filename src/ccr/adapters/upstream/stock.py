"""Stock httpx transports for what the pool does not do, proxies and HTTP/2: one connection each, exclusively.

httpcore's pool is poisoned by cancellation and slow with concurrency, so each transport here holds one connection,
serves one request at a time, and returns to the free list only after a clean end; anything else closes it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from importlib.util import find_spec
from typing import TYPE_CHECKING

import httpx

from ccr.adapters.upstream.decode import decoder_for
from ccr.adapters.upstream.error_map import after_sending, mapped_errors
from ccr.adapters.upstream.fenced import FencedBackend
from ccr.adapters.upstream.request import OWN_HEADERS, locate, write_head
from ccr.adapters.upstream.response import read_all
from ccr.adapters.upstream.ssrf import Fence
from ccr.domain.errors import UpstreamError, UpstreamUnavailableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable

    from ccr.adapters.upstream.request import Origin, Place
    from ccr.application.call import Headers
    from ccr.application.ports.upstream import UpstreamRequest

__all__ = ["StockPool", "proxy_of"]


def proxy_of(url: str, context: ssl.SSLContext) -> httpx.Proxy:
    """Read a proxy's URL: http, https, socks5 or socks5h, credentials allowed.

    Raises ValueError with a sentence for people, which does not repeat the URL.
    """
    try:
        proxy = httpx.Proxy(url, ssl_context=context if url.lower().startswith("https:") else None)
    except (ValueError, httpx.InvalidURL) as exc:
        raise ValueError("the proxy must be http://, https:// or socks5://, with a host") from exc
    if not proxy.url.host:
        raise ValueError("the proxy's URL has no host")
    if proxy.url.scheme.startswith("socks") and find_spec("socksio") is None:
        raise ValueError("a SOCKS proxy needs the package socksio")
    return proxy


class StockPool:
    """A free list of single-connection transports for each origin."""

    def __init__(
        self,
        context: ssl.SSLContext,
        *,
        proxy: httpx.Proxy | None = None,
        http2: bool = False,
        fence: Fence | None = None,
        idle_timeout: float = 30.0,
        max_idle: int = 50,
    ) -> None:
        """``context`` must offer h2 by ALPN if ``http2``; ``idle_timeout`` in seconds, ``max_idle`` an origin.

        ``fence`` judges what is dialled: the proxy where there is one. What the proxy dials then is the proxy's business.
        """
        self._context = context
        self._proxy = proxy
        self._http2 = http2
        self._dialler = FencedBackend(fence or Fence())
        self._idle_timeout = idle_timeout
        self._max_idle = max_idle
        self._free: defaultdict[Origin, deque[tuple[httpx.AsyncHTTPTransport, float]]] = defaultdict(deque)
        self._lent: set[httpx.AsyncHTTPTransport] = set()
        self._closing: set[asyncio.Task[None]] = set()
        self._closed = False
        self._reaper: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> int:
        """Transports in the free list."""
        return sum(len(free) for free in self._free.values())

    @property
    def open(self) -> int:
        """Transports altogether."""
        return self.idle + len(self._lent)

    async def open_exchange(self, request: UpstreamRequest) -> StockResponse:
        """As ``Pool.open``; the second try likewise only over a reused transport that never answered."""
        place = locate(request.url)
        write_head(request, place)  # the same refusals as on the direct way
        limits = request.timeouts
        waits = None if limits.first_byte is None else limits.first_byte + (limits.connect or 0.0)
        if limits.total is not None:
            waits = limits.total if waits is None else min(waits, limits.total)
        with after_sending(), mapped_errors(place.origin.name, "answer", waits):
            async with asyncio.timeout(waits):
                reused = self._take(place.origin)
                if reused is not None:
                    try:
                        return await self._exchange(reused, request, place)
                    except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
                        pass
                return await self._exchange(self._make(place.origin), request, place)

    def retire(self) -> None:
        """Take no more back; what is lent ends in its own time."""
        self._closed = True
        if self._reaper is not None:
            self._reaper.cancel()
            self._reaper = None
        for free in self._free.values():
            for transport, _ in free:
                self.discard(transport)
        self._free.clear()

    async def aclose(self) -> None:
        """Close everything."""
        self.retire()
        for transport in list(self._lent):
            self.discard(transport)
        if self._closing:
            await asyncio.wait(set(self._closing), timeout=2.0)

    def give_back(self, transport: httpx.AsyncHTTPTransport, origin: Origin) -> None:
        """A clean end: the transport may serve another request to ``origin``."""
        self._lent.discard(transport)
        free = self._free[origin]
        if self._closed or len(free) >= self._max_idle:
            self.discard(transport)
            return
        loop = asyncio.get_running_loop()
        free.append((transport, loop.time() + self._idle_timeout))
        if self._reaper is None:
            self._reaper = loop.call_later(self._idle_timeout, self._reap)

    def discard(self, transport: httpx.AsyncHTTPTransport) -> None:
        """Close in a task of its own, out of reach of whatever cancelled the caller."""
        self._lent.discard(transport)
        task = asyncio.get_running_loop().create_task(transport.aclose())
        self._closing.add(task)
        task.add_done_callback(self._closed_one)

    def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for free in self._free.values():
            while free and free[0][1] <= now:
                self.discard(free.popleft()[0])
        self._reaper = loop.call_later(self._idle_timeout, self._reap) if self.idle else None

    def _closed_one(self, task: asyncio.Task[None]) -> None:
        """Whatever it died of, nobody needs to hear of it."""
        self._closing.discard(task)
        if not task.cancelled():
            task.exception()

    def _take(self, origin: Origin) -> httpx.AsyncHTTPTransport | None:
        free = self._free.get(origin)
        now = asyncio.get_running_loop().time()
        while free:
            transport, expires = free.pop()
            if expires > now:
                self._lent.add(transport)
                return transport
            self.discard(transport)
        return None

    def _make(self, origin: Origin) -> httpx.AsyncHTTPTransport:
        if self._closed:
            raise UpstreamUnavailableError(f"No connection to {origin.name}: the transport is closed")
        transport = httpx.AsyncHTTPTransport(
            verify=self._context,
            trust_env=False,
            http2=self._http2,
            proxy=self._proxy,
            limits=httpx.Limits(
                max_connections=1, max_keepalive_connections=1, keepalive_expiry=self._idle_timeout
            ),
        )
        # httpx hands no dialler of ours down to httpcore; the pool below makes every connection with this one.
        transport._pool._network_backend = self._dialler  # noqa: SLF001
        self._lent.add(transport)
        return transport

    async def _exchange(
        self, transport: httpx.AsyncHTTPTransport, request: UpstreamRequest, place: Place
    ) -> StockResponse:
        opened: StockResponse | None = None
        try:
            response = await transport.handle_async_request(_stock_request(request, place))
            opened = StockResponse(response, place.origin, self, transport)
            return opened
        finally:
            if opened is None:
                self.discard(transport)


class StockResponse:
    """Implements ``UpstreamResponse`` over a stock transport."""

    def __init__(
        self, response: httpx.Response, origin: Origin, pool: StockPool, transport: httpx.AsyncHTTPTransport
    ) -> None:
        headers = {name.lower(): value for name, value in response.headers.items()}
        self._where = origin.name
        self._decoder = decoder_for(headers, self._where)
        self._body = response.aiter_raw()
        self._leave: Callable[[bool], None] | None = self._leaver(pool, transport, origin)
        self._ended = False
        self.status: int = response.status_code
        self.headers: Headers = headers

    async def chunk(self) -> bytes:
        """The next piece as httpcore read it."""
        if self._decoder is None:
            return await self._raw()
        return await self._decoder.chunk(self._raw)

    async def read(self, limit: int) -> bytes:
        """The whole body."""
        return await read_all(self, limit, self._where)

    async def aclose(self) -> None:
        """Give the transport back or close it."""
        leave, self._leave = self._leave, None
        if leave is not None:
            leave(self._ended)

    async def _raw(self) -> bytes:
        if self._ended:
            return b""
        if self._leave is None:
            raise UpstreamUnavailableError(f"The connection to {self._where} was closed by us")
        try:
            with mapped_errors(self._where, "go on"):
                async for data in self._body:
                    if data:
                        return data
        except UpstreamError:
            await self.aclose()
            raise
        self._ended = True
        await self.aclose()
        return b""

    @staticmethod
    def _leaver(
        pool: StockPool, transport: httpx.AsyncHTTPTransport, origin: Origin
    ) -> Callable[[bool], None]:
        def leave(ended: bool) -> None:
            if ended:
                pool.give_back(transport, origin)
            else:
                pool.discard(transport)

        return leave


def _stock_request(request: UpstreamRequest, place: Place) -> httpx.Request:
    pairs = [(name, value) for name, value in request.headers if name not in OWN_HEADERS]
    pairs += [("host", place.host_header), ("accept-encoding", "identity")]
    if request.body or request.method in {"POST", "PUT", "PATCH"}:
        pairs.append(("content-length", str(len(request.body))))
    connect = request.timeouts.connect
    return httpx.Request(
        request.method,
        request.url,
        headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs],
        stream=httpx.ByteStream(request.body),
        extensions={"timeout": {"connect": connect, "read": None, "write": None, "pool": None}},
    )
