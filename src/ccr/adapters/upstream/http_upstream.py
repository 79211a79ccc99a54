"""The adapter of the ``Upstream`` port: direct or by proxy, decided for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.adapters.upstream.bypass import Bypass
from ccr.adapters.upstream.dial import fenced_off
from ccr.adapters.upstream.pool import Pool, PoolStats
from ccr.adapters.upstream.request import locate
from ccr.adapters.upstream.ssrf import Fence, leads_to_metadata
from ccr.adapters.upstream.stock import StockPool, proxy_of
from ccr.adapters.upstream.tls import client_context

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from ccr.application.ports.upstream import UpstreamRequest, UpstreamResponse

__all__ = ["HttpUpstream", "UpstreamStats"]


@define
class UpstreamStats:
    """What is open: the direct pool, and transports of the proxies in use or being retired."""

    direct: PoolStats
    proxied_open: int
    proxied_idle: int


class HttpUpstream:
    """Implements ``Upstream``. ``configure`` may be called at any time; exchanges under way are not disturbed.

    HTTP/2 is spoken only to the origins given as ``http2`` (``https://host[:port]``), over stock transports.
    """

    def __init__(
        self,
        *,
        proxy_url: str | None = None,
        bypass: Sequence[str] = (),
        http2: Sequence[str] = (),
        context: ssl.SSLContext | None = None,
        idle_timeout: float = 30.0,
        max_idle: int = 100,
    ) -> None:
        """Raises ValueError for a proxy that cannot be used (a sentence for people, without the URL)."""
        self._context = context or client_context()
        self._idle_timeout = idle_timeout
        self._fence = Fence()
        self._direct = Pool(self._context, fence=self._fence, idle_timeout=idle_timeout, max_idle=max_idle)
        self._http2_origins = frozenset(locate(origin).origin for origin in http2)
        self._http2: StockPool | None = None
        self._proxied: StockPool | None = None
        self._retired: list[StockPool] = []
        self._proxy_url: str | None = None
        self._bypass = Bypass()
        self.configure(proxy_url, bypass)

    def configure(
        self, proxy_url: str | None, bypass: Sequence[str] = (), *, block_private: bool = False
    ) -> None:
        """Use this proxy (None or empty = none) and this bypass list from the next request on.

        ``block_private`` (``ssrf.Fence``) counts for new connections; whatever lies idle was made under the old rule, and
        is used up or closed within the idle timeout.

        Raises ValueError and changes nothing if the proxy cannot be used.
        """
        proxy_url = proxy_url or None
        if proxy_url != self._proxy_url:
            fresh = None
            if proxy_url is not None:
                fresh = StockPool(
                    self._context, proxy=proxy_of(proxy_url, self._context), idle_timeout=self._idle_timeout
                )
            if self._proxied is not None:
                self._proxied.retire()
                self._retired = [pool for pool in self._retired if pool.open] + [self._proxied]
            self._proxied = fresh
            self._proxy_url = proxy_url
        self._bypass = Bypass(bypass)
        self._fence.block_private = block_private

    @property
    def stats(self) -> UpstreamStats:
        """A snapshot."""
        stock = [pool for pool in (self._proxied, self._http2, *self._retired) if pool is not None]
        return UpstreamStats(
            self._direct.stats, sum(pool.open for pool in stock), sum(pool.idle for pool in stock)
        )

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """See ``Upstream.open``. Raises also InternalError for a malformed URL or header (``request.py``)."""
        origin = locate(request.url).origin
        if self._proxied is not None and not self._bypass.spares(origin.host, origin.port):
            if leads_to_metadata(origin.host):  # as it is written: the proxy looks the names up
                raise fenced_off(origin.host)
            return await self._proxied.open_exchange(request)
        if origin in self._http2_origins:
            if self._http2 is None:
                context = client_context(http2=True)
                self._http2 = StockPool(
                    context, http2=True, fence=self._fence, idle_timeout=self._idle_timeout
                )
            return await self._http2.open_exchange(request)
        return await self._direct.open(request)

    async def aclose(self) -> None:
        """Close everything that is idle or open."""
        await self._direct.aclose()
        for pool in (self._proxied, self._http2, *self._retired):
            if pool is not None:
                await pool.aclose()
