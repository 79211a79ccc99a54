"""Raw servers on loopback for the transport: what they say is written by the test, byte for byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeAlias

from attrs import define, field

from ccr.application.ports.upstream import HeaderPairs, Timeouts, UpstreamRequest

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

Answer: TypeAlias = Callable[["Talk"], Awaitable[None]]


@define
class Talk:
    """One request on one connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    number: int
    head: bytes
    body: bytes

    async def say(self, data: bytes) -> None:
        if self.writer.is_closing():
            raise ConnectionResetError  # as the kernel would say; uvloop says RuntimeError
        self.writer.write(data)
        await self.writer.drain()

    def reset(self) -> None:
        """Close with RST."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")  # SOL_SOCKET, SO_LINGER: on, 0 s
        self.writer.transport.abort()


@define
class Server:
    port: int
    heads: list[bytes] = field(factory=list)
    connections: int = 0
    alive: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def serving(
    answer: Answer, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Server]:
    """Call `answer` for each request until the connection ends."""
    tasks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        server.connections += 1
        number = server.connections
        server.alive += 1
        try:
            # Python 3.11 logs a handler that was cancelled, as ours are below: end in peace.
            with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, asyncio.CancelledError):
                while not writer.is_closing():
                    head = await reader.readuntil(b"\r\n\r\n")
                    server.heads.append(head)
                    body = await reader.readexactly(_length(head))
                    await answer(Talk(reader, writer, number, head, body))
        finally:
            server.alive -= 1
            writer.transport.abort()

    listener = await asyncio.start_server(talk, host, 0, ssl=tls, backlog=1024, limit=1 << 20)
    server = Server(listener.sockets[0].getsockname()[1])
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        if tasks:
            await asyncio.wait(list(tasks), timeout=2)
        await asyncio.sleep(0.01)


def request(
    url: str,
    method: str = "POST",
    *,
    body: bytes = b"{}",
    headers: HeaderPairs = (),
    timeouts: Timeouts | None = None,
) -> UpstreamRequest:
    return UpstreamRequest(method, url, headers, body, timeouts or Timeouts(connect=5.0, first_byte=5.0))


async def ok(talk: Talk) -> None:
    await talk.say(OK)


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


async def settled(check: Callable[[], bool], seconds: float = 3.0) -> bool:
    """Wait until `check` holds."""
    for _ in range(int(seconds / 0.01)):
        if check():
            return True
        await asyncio.sleep(0.01)
    return check()


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.split(b":")[1])
    return 0
