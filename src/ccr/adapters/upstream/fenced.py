"""How the stock transports dial: by our resolver, at addresses that the fence allows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpcore

from ccr.adapters.upstream.dial import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.adapters.upstream.ssrf import Fence

__all__ = ["FencedBackend"]


class FencedBackend(httpcore.AnyIOBackend):
    """httpcore's own way to connect, given addresses instead of names. TLS still asks for the name in the URL."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # httpcore's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first address that answers; ``timeout`` in seconds, for each."""
        try:
            addresses = await resolve(host, port, self._fence)
        except OSError as exc:
            raise httpcore.ConnectError(str(exc)) from exc
        failed: httpcore.ConnectError | None = None
        for _, address in addresses:
            try:
                return await super().connect_tcp(
                    str(address[0]), port, timeout, local_address, socket_options
                )
            except httpcore.ConnectError as exc:
                failed = failed or exc
        raise failed or httpcore.ConnectError("the name has no address")
