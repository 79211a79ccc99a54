"""Doors to a dialect: where a request goes, how its reply is framed, how it is signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.dialect import Framer
    from ccr.application.ports.payload import Encoded
    from ccr.application.ports.provider import Endpoint
    from ccr.application.ports.upstream import UpstreamRequest
    from ccr.domain.facts import Operation

__all__ = ["CredentialSource", "Hosting", "RenewableCredential", "WrappingHosting"]


class Hosting(Protocol):
    """A door: direct, Azure, Bedrock, Vertex.

    ``verbatim``: bodies, headers and replies go through as the dialect has them, so replies may be relayed byte for byte;
    else ``amend`` changes every body, a client's own headers stay behind, and replies are always decoded.
    """

    name: str
    verbatim: bool

    def url(self, endpoint: Endpoint, model: str, operation: Operation, *, stream: bool) -> str:
        """Return the absolute URL."""
        ...

    def amend(self, encoded: Encoded, endpoint: Endpoint, betas: Sequence[str], *, stream: bool) -> Encoded:
        """Return the request with what this door wants in the body and headers, and what it lost by that.

        ``betas``: the values of the client's ``anthropic-beta``, for doors that take them in the body.
        """
        ...

    def framer(self, *, limit: int) -> Framer:
        """Return a framer for one streamed reply; ``limit`` bounds one frame in bytes."""
        ...


class WrappingHosting(Hosting, Protocol):
    """A door whose replies are inside something of its own; its framer unwraps those that are streamed."""

    def unwrapped(self, body: bytes) -> bytes:
        """Return the reply inside a whole body."""
        ...


class CredentialSource(Protocol):
    """Something that makes a request ours."""

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with its credential (it may need the body to sign it)."""
        ...

    def secrets(self) -> tuple[str, ...]:
        """Texts that must be masked wherever a provider's words go out."""
        ...


class RenewableCredential(CredentialSource, Protocol):
    """A credential that may end before it says so: revoked, or by another clock."""

    def refused(self) -> None:
        """Take note that a provider refused it; the next request is given another, if one can be had."""
        ...
