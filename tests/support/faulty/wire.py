"""One connection of the faulty provider: its request read, its answer written byte by byte as a fault wants it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Mapping

from attrs import define, field

__all__ = ["Asked", "GoneError", "Wire"]


class GoneError(Exception):
    """The gateway has closed the connection."""


@define
class Asked:
    """A request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@define(eq=False)
class Wire:
    """Writes an answer. ``chunked`` bodies are framed here, so that a fault can leave the frame."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    chunked: bool = False
    keep: bool = field(default=False)
    """The connection may serve another request."""

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        if self.writer.is_closing():
            raise GoneError
        self.writer.write(data)
        try:
            await self.writer.drain()
        except OSError as error:
            raise GoneError from error

    async def head(
        self, status: int = 200, kind: str = "text/event-stream", length: int | None = None, **more: str
    ) -> None:
        """Write a head; without a length the body is chunked."""
        self.chunked = length is None
        lines = [f"HTTP/1.1 {status} Fault", f"content-type: {kind}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
        lines.append("transfer-encoding: chunked" if length is None else f"content-length: {length}")
        await self.raw("\r\n".join([*lines, "", ""]).encode())

    async def data(self, *pieces: bytes) -> None:
        """Write pieces of the body, each in a write (and a chunk) of its own."""
        for piece in pieces:
            await self.raw(b"%x\r\n%s\r\n" % (len(piece), piece) if self.chunked else piece)

    async def end(self) -> None:
        """End the body properly."""
        if self.chunked:
            await self.raw(b"0\r\n\r\n")
        self.keep = True

    async def whole(
        self, body: bytes, status: int = 200, kind: str = "application/json", **more: str
    ) -> None:
        """Write a whole reply."""
        await self.head(status, kind, len(body), **more)
        await self.data(body)
        self.keep = True

    async def hang(self, seconds: float = 60.0) -> None:
        """Say nothing until the gateway gives up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self.reader.read(65536):
                    continue
        raise GoneError

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def asked(self) -> Asked | None:
        """Read the next request; None when the gateway has closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines if line)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        body = await self.reader.readexactly(int(headers.get("content-length", "0")))
        return Asked(method, path, headers, body)
