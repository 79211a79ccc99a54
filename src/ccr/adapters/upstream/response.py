"""What a caller of the pool holds: a response whose head has arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.upstream.decode import decoder_for
from ccr.domain.errors import UpstreamProtocolError, UpstreamUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.adapters.upstream.connection import Connection
    from ccr.adapters.upstream.parser import ResponseParser
    from ccr.application.call import Headers
    from ccr.application.ports.upstream import UpstreamResponse

__all__ = ["PooledResponse", "read_all"]


class PooledResponse:
    """Implements ``UpstreamResponse`` over one connection of the pool."""

    __slots__ = ("_connection", "_decoder", "_give_back", "_parser", "_where", "headers", "status")

    def __init__(
        self, connection: Connection, parser: ResponseParser, give_back: Callable[[Connection], None]
    ) -> None:
        """``give_back`` takes a connection that may serve another request.

        Raises UpstreamProtocolError for a content coding that we cannot undo.
        """
        self._where = connection.origin.name
        self._decoder = decoder_for(parser.headers, self._where)
        self._connection: Connection | None = connection
        self._parser = parser
        self._give_back = give_back
        self.status: int = parser.status
        self.headers: Headers = parser.headers

    async def chunk(self) -> bytes:
        """All that has come since the last call, as one piece; waits if that is nothing."""
        if self._decoder is None:
            return await self._raw()
        return await self._decoder.chunk(self._raw)

    async def read(self, limit: int) -> bytes:
        """The whole body."""
        return await read_all(self, limit, self._where)

    async def aclose(self) -> None:
        """Give the connection back or close it; what was not read is gone."""
        self._leave()

    async def _raw(self) -> bytes:
        parser = self._parser
        while not parser.size:
            if parser.ended:
                self._leave()
                return b""
            if parser.failure is not None:
                self._leave()
                raise parser.failure
            connection = self._connection
            if connection is None:
                raise UpstreamUnavailableError(f"The connection to {self._where} was closed by us")
            await connection.progress()
        data = parser.take()
        if self._connection is not None:
            self._connection.resume()
            if parser.ended:
                self._leave()
        return data

    def _leave(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.detach():
            self._give_back(connection)
        else:
            self._parser.close()
            connection.abort()


async def read_all(response: UpstreamResponse, limit: int, where: str) -> bytes:
    """Read the body of ``response`` to its end, close it in any case.

    Raises UpstreamProtocolError if it is longer than ``limit`` bytes, and what ``chunk`` raises.
    """
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := await response.chunk():
            size += len(piece)
            if size > limit:
                raise UpstreamProtocolError(f"The answer of {where} is longer than {limit} bytes")
            pieces.append(piece)
    finally:
        await response.aclose()
    return b"".join(pieces)
