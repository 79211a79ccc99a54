"""One request as the application sees it (``Call``), and its answer (``Answer``): no framework in sight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

from attrs import define, field

from ccr.domain.facts import Operation

if TYPE_CHECKING:
    from ccr.domain.access import Principal

__all__ = ["Answer", "Call", "Disconnect", "Headers", "Loader", "Operation", "Relay", "Write"]

Headers: TypeAlias = Mapping[str, str]
"""Header names in lower case; a repeated header is joined with ``, `` (RFC 9110 5.3)."""

Loader: TypeAlias = Callable[[], Awaitable[bytes]]
Write: TypeAlias = Callable[[bytes], Awaitable[None]]
Relay: TypeAlias = Callable[[Write], Awaitable[None]]


class Disconnect:
    """Whether the client has left. Callbacks, not tasks: nothing is paid for a client that stays."""

    __slots__ = ("_callbacks", "gone")

    def __init__(self) -> None:
        self.gone = False
        self._callbacks: list[Callable[[], None]] = []

    def set(self) -> None:
        """Say that the client has left; tells everybody who asked, once."""
        if self.gone:
            return
        self.gone = True
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def tell(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when the client leaves; at once if it has left."""
        if self.gone:
            callback()
        else:
            self._callbacks.append(callback)

    def forget(self, callback: Callable[[], None]) -> None:
        """Take a callback back."""
        if callback in self._callbacks:
            self._callbacks.remove(callback)


@define
class Call:
    """What came in: everything but the body, which is loaded once, after the gate.

    Attributes:
        dialect: name of the client dialect that the path belongs to.
        load: reads the body, bounded in size and time; raises BodyTooLargeError, ClientGoneError or
            InvalidRequestError (a body that does not arrive in time).
        disconnect: says when the client leaves.
        received: monotonic seconds at which the request came in.
    """

    operation: Operation
    dialect: str
    path: str
    headers: Headers
    principal: Principal
    request_id: str
    load: Loader
    disconnect: Disconnect
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
