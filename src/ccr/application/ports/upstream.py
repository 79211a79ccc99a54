"""The transport port: one HTTP exchange with a provider, and nothing but."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

from attrs import define, field

from ccr.domain.value import value

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = ["HeaderPairs", "Timeouts", "Upstream", "UpstreamRequest", "UpstreamResponse"]

HeaderPairs: TypeAlias = tuple[tuple[str, str], ...]


@define(frozen=True)
class Timeouts:
    """Limits of one exchange in seconds; None = no limit.

    ``connect`` covers DNS, TCP and TLS; ``first_byte`` runs from the request sent to the response head;
    ``idle`` is between two pieces of *parsed progress* and is enforced by the relay, not by the transport;
    ``total`` covers everything.
    """

    connect: float | None = 5.0
    first_byte: float | None = 120.0
    idle: float | None = 120.0
    total: float | None = None


@value
class UpstreamRequest:
    """One request to a provider. ``url`` is absolute; header names are lower case; ``host``,
    ``content-length`` and ``accept-encoding: identity`` are added by the transport.
    """

    method: str
    url: str
    headers: HeaderPairs = field(repr=False)
    body: bytes = field(repr=False)
    timeouts: Timeouts = Timeouts()


class UpstreamResponse(Protocol):
    """A response whose head has arrived. It owns its connection exclusively until it has ended or is closed."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Headers: ...

    async def chunk(self) -> bytes:
        """Return the next piece of the body as the network gave it, ``b""`` at its proper end.

        Raises UpstreamUnavailableError (reset) or UpstreamProtocolError (cut short, bad framing). Applies no time
        limit of its own. May be cancelled at any await; the response must then be closed.
        """
        ...

    async def read(self, limit: int) -> bytes:
        """Return the whole body, at most ``limit`` bytes; a longer one raises UpstreamProtocolError."""
        ...

    async def aclose(self) -> None:
        """Give the connection back (body ended cleanly) or close it (anything else). Idempotent, never raises."""
        ...


class Upstream(Protocol):
    """Opens exchanges. One instance a process; not thread-safe, bound to one event loop."""

    async def open(self, request: UpstreamRequest) -> UpstreamResponse:
        """Send the request and wait for the response head.

        Raises:
            UpstreamUnavailableError: no connection, or it broke before the head.
            UpstreamTimeoutError: ``connect`` or ``first_byte`` ran out.
            UpstreamProtocolError: the answer is not HTTP.

        Cancelling it closes the connection that it was using.
        """
        ...

    async def aclose(self) -> None:
        """Close everything that is idle or open."""
        ...
