"""Doors to a dialect: where a request goes, how its reply is framed, how it is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Payload
    from ccr.application.ports.provider import Endpoint
    from ccr.application.ports.upstream import UpstreamRequest
    from ccr.domain.facts import Operation

__all__ = ["CredentialSource", "Hosting"]


class Hosting(Protocol):
    """A door: direct, Azure, Bedrock, Vertex."""

    name: str

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL."""
        ...

    def amend(self, payload: Payload) -> Payload:
        """Return the payload with what this door wants in the body."""
        ...

    def framer(self, *, limit: int) -> Framer:
        """Return a framer for one streamed reply; ``limit`` bounds one frame in bytes."""
        ...


class CredentialSource(Protocol):
    """Something that makes a request ours."""

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with its credential (it may need the body to sign it)."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Texts that must be masked wherever a provider's words go out."""
        ...
