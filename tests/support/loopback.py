"""A small HTTP/1.1 server on loopback for scripted upstreams: real sockets, OS-chosen port, no framework.

It runs in a thread of its own (``with server:``), so that tests which wait for a process can use it, or in
the running event loop (``async with server:``). It records every request before answering.
"""

from __future__ import annotations

import asyncio
import threading
import time
from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

import msgspec
from attrs import define, field

_POLL_SECONDS = 0.02


@define
class Recorded:
    """One request and what became of it. `started` is of the monotonic clock, in seconds."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    started: float
    json: Any = None
    status: int = 0
    events_sent: int = 0
    disconnected: bool = False
    finished: bool = False
    rejected: str = ""
    connection: int = 0


class ClientGoneError(Exception):
    """The peer closed its side while we were answering."""


@define
class Exchange:
    """One request on one connection, and the means to answer it."""

    recorded: Recorded
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    closing: bool = field(default=False)

    async def reply(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Send a whole reply with a content-length."""
        self.recorded.status = status
        self._head(status, {**headers, "content-length": str(len(body))})
        self.writer.write(b"" if self.recorded.method == "HEAD" else body)
        await self._drain()
        self.recorded.finished = True

    async def open(self, status: int, headers: dict[str, str]) -> None:
        """Send the head of a chunked reply."""
        self.recorded.status = status
        self._head(status, {**headers, "transfer-encoding": "chunked"})
        await self._drain()

    async def chunk(self, data: bytes) -> None:
        """Send one chunk; raises ClientGoneError when nobody listens any more."""
        self.check()
        self.writer.write(b"%x\r\n%b\r\n" % (len(data), data))
        await self._drain()
        self.recorded.events_sent += 1

    async def end(self) -> None:
        """Send the terminal chunk."""
        self.check()
        self.writer.write(b"0\r\n\r\n")
        await self._drain()
        self.recorded.finished = True

    async def cut(self) -> None:
        """Close in the middle of the reply, after what was written has left."""
        self.closing = True
        self.writer.close()

    async def sleep(self, seconds: float) -> None:
        """Wait, but notice a client that leaves."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.check()
            await asyncio.sleep(min(left, _POLL_SECONDS))
        self.check()

    def check(self) -> None:
        if self.reader.at_eof() or self.writer.is_closing():
            raise ClientGoneError

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [
            f"HTTP/1.1 {status} Scripted",
            *(f"{name}: {value}" for name, value in headers.items()),
            "",
            "",
        ]
        self.writer.write("\r\n".join(lines).encode("latin-1"))

    async def _drain(self) -> None:
        try:
            await self.writer.drain()
        except ConnectionError:
            raise ClientGoneError from None


class LoopbackServer(ABC):
    """Serves `answer` on 127.0.0.1; `requests` holds what came, in order of arrival."""

    def __init__(self) -> None:
        self.requests: list[Recorded] = []
        self.port = 0
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @abstractmethod
    async def answer(self, exchange: Exchange) -> None:
        """Answer one request."""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0, limit=1 << 20)
        self.port = int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(ready,), name=type(self).__name__, daemon=True
        )
        self._thread.start()
        if not ready.wait(10):
            message = "the scripted upstream did not start"
            raise RuntimeError(message)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join(10)

    def _run(self, ready: threading.Event) -> None:
        async def serve() -> None:
            self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
            await self.start()
            ready.set()
            await self._stop.wait()
            await self.stop()

        asyncio.run(serve())

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self.connections += 1
        number = self.connections
        try:
            while (recorded := await _read_request(reader)) is not None:
                recorded.connection = number
                self.requests.append(recorded)
                exchange = Exchange(recorded, reader, writer)
                try:
                    await self.answer(exchange)
                except ClientGoneError:
                    recorded.disconnected = True
                    break
                if exchange.closing or recorded.headers.get("connection", "").lower() == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


async def _read_request(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _version = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            key = name.strip().lower()
            headers[key] = f"{headers[key]}, {value.strip()}" if key in headers else value.strip()
    body = await _read_body(reader, headers)
    recorded = Recorded(method, path, headers, body, time.monotonic())
    if body:
        try:
            recorded.json = msgspec.json.decode(body)
        except msgspec.DecodeError:
            recorded.json = None
    return recorded


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        return await reader.readexactly(int(headers.get("content-length", "0")))
    pieces: list[bytes] = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    while (await reader.readline()) not in {b"\r\n", b""}:
        pass
    return b"".join(pieces)
