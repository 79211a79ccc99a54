"""Several transports behind one port, by the scheme of the URL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.domain.errors import UpstreamUnavailableError

if TYPE_CHECKING:
    from ccr.application.ports.upstream import Upstream, UpstreamRequest, UpstreamResponse

__all__ = ["SchemeUpstream"]


@frozen
class SchemeUpstream:
    """Implements ``Upstream``."""

    by_scheme: Mapping[str, Upstream]

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Open with the transport of the scheme; raises as that one does."""
        scheme = request.url.partition(":")[0].lower()
        transport = self.by_scheme.get(scheme)
        if transport is None:
            raise UpstreamUnavailableError(f"nothing here speaks {scheme!r}")
        return await transport.open(request)

    async def aclose(self) -> None:
        """Close them all."""
        for transport in dict.fromkeys(self.by_scheme.values()):
            await transport.aclose()
