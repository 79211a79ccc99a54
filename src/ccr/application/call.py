"""One request as the application sees it (``Call``), and its answer (``Answer``): no framework in sight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.domain.facts import Operation

if TYPE_CHECKING:
    import asyncio

    from ccr.domain.access import Principal

__all__ = ["Answer", "Call", "Headers", "Loader", "Operation", "Relay", "Write"]

Headers: TypeAlias = Mapping[str, str]
"""Header names in lower case; a repeated header is joined with ``, `` (RFC 9110 5.3)."""

Loader: TypeAlias = Callable[[], Awaitable[bytes]]
Write: TypeAlias = Callable[[bytes], Awaitable[None]]
Relay: TypeAlias = Callable[[Write], Awaitable[None]]


@define
class Call:
    """What came in: everything but the body, which is loaded once, after the gate.

    Attributes:
        dialect: name of the client dialect that the path belongs to.
        load: reads the body, bounded in size and time; raises BodyTooLargeError, ClientGoneError or
            InvalidRequestError (a body that does not arrive in time).
        disconnect: set when the client has left; never cleared.
        received: monotonic seconds at which the request came in.
    """

    operation: Operation
    dialect: str
    path: str
    headers: Headers
    principal: Principal
    request_id: str
    load: Loader
    disconnect: asyncio.Event
    received: float
    query: str = ""
    body: bytes | None = field(default=None, repr=False)

    async def read(self) -> bytes:
        """Load the body; the second call returns what the first one got."""
        if self.body is None:
            self.body = await self.load()
        return self.body

    def drop(self) -> None:
        """Let the body go: no other target can be tried any more."""
        self.body = b""


@define
class Answer:
    """What goes back: a status, headers, and either a whole body or a relay that writes one.

    ``headers`` are pairs with lower-case names. A ``relay`` is called once with ``write``; whoever holds an
    Answer whose relay was never begun must ``await close()``, which settles the request.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(default=b"", repr=False)
    relay: Relay | None = None
    close: Callable[[], Awaitable[None]] | None = None
