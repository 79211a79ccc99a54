"""The ``Upstream`` port as an httpx transport, for whoever wants httpx's API off the hot path."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx

from ccr.adapters.upstream.request import OWN_HEADERS
from ccr.application.ports.upstream import Timeouts, UpstreamRequest
from ccr.domain.errors import (
    InternalError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from ccr.application.ports.upstream import Upstream, UpstreamResponse

__all__ = ["UpstreamTransport"]


class UpstreamTransport(httpx.AsyncBaseTransport):
    """``httpx.AsyncClient(transport=UpstreamTransport(upstream))``: our pool, httpx's requests and exceptions.

    Of httpx's timeouts ``connect`` and ``read`` become ``connect`` and ``first_byte``. Closing the client does not
    close the upstream, which is shared. Content codings are undone below, so the response shows none.
    """

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send ``request``; raises httpx's exceptions."""
        limits = request.extensions.get("timeout", {})
        body = await request.aread()
        pairs = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in request.headers.raw
        )
        with _httpx_errors(request):
            response = await self._upstream.open(
                UpstreamRequest(
                    method=request.method,
                    url=str(request.url),
                    headers=tuple(pair for pair in pairs if pair[0] not in OWN_HEADERS),
                    body=body,
                    timeouts=Timeouts(connect=limits.get("connect"), first_byte=limits.get("read")),
                )
            )
        return httpx.Response(
            status_code=response.status,
            headers=dict(response.headers),
            stream=_Body(response, request),
            request=request,
        )


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: UpstreamResponse, request: httpx.Request) -> None:
        self._response = response
        self._request = request

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _httpx_errors(self._request):
            while piece := await self._response.chunk():
                yield piece

    async def aclose(self) -> None:
        await self._response.aclose()


@contextmanager
def _httpx_errors(request: httpx.Request) -> Iterator[None]:
    """``error_map`` the other way round."""
    try:
        yield
    except UpstreamTimeoutError as exc:
        raise httpx.TimeoutException(exc.message, request=request) from exc
    except UpstreamUnavailableError as exc:
        raise httpx.NetworkError(exc.message, request=request) from exc
    except UpstreamProtocolError as exc:
        raise httpx.RemoteProtocolError(exc.message, request=request) from exc
    except InternalError as exc:
        raise httpx.LocalProtocolError(exc.message, request=request) from exc
