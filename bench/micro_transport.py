"""CPU of the outbound transport alone, beside stock httpx: `python bench/micro_transport.py [seconds a case]`.

The server is a process of its own; counted is the CPU of this one (time.process_time). Read ratios: the figures of
one run share its noise.
"""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection
from typing import TypeAlias

import httpx
import uvloop

from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.transport import UpstreamTransport
from ccr.application.ports.upstream import UpstreamRequest

CHUNKS = 64
STREAMS = 20  # at once, in the paced case
PAUSE = 0.01
ROUNDS = 5

HEADERS = (
    ("authorization", "Bearer " + "k" * 40),
    ("content-type", "application/json"),
    ("accept", "text/event-stream"),
    ("user-agent", "ccr"),
    ("x-title", "ccr"),
)
BODY = b'{"x":"' + b"x" * 1000 + b'"}'
EVENT = b'data: {"choices":[{"delta":{"content":"' + b"w" * 230 + b'"}}]}\n\n'
PLAIN = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n" + b"y" * 500
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"

Use: TypeAlias = Callable[[str], Awaitable[None]]


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len(BODY))
            if b"/plain" in head:
                writer.write(PLAIN)
                continue
            writer.write(HEAD)
            for _ in range(CHUNKS):
                writer.write(chunk(EVENT))
                if b"/paced" in head:
                    await asyncio.sleep(PAUSE)
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def serve(pipe: Connection) -> None:
    async def run() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


def by_port(upstream: HttpUpstream) -> Use:
    async def use(url: str) -> None:
        response = await upstream.open(UpstreamRequest("POST", url, HEADERS, BODY))
        while await response.chunk():
            pass
        await response.aclose()

    return use


def by_httpx(client: httpx.AsyncClient) -> Use:
    async def use(url: str) -> None:
        async with client.stream("POST", url, headers=HEADERS, content=BODY) as response:
            async for _ in response.aiter_raw():
                pass

    return use


async def cpu_each(use: Use, url: str, seconds: float, streams: int) -> float:
    """Median microseconds of CPU an exchange, of several rounds."""
    figures = []
    for _ in range(ROUNDS):
        gc.collect()
        count, end, before = 0, time.perf_counter() + seconds / ROUNDS, time.process_time()
        while time.perf_counter() < end:
            await asyncio.gather(*(use(url) for _ in range(streams)))
            count += streams
        figures.append((time.process_time() - before) / count * 1e6)
    return statistics.median(figures)


async def measure(base: str, seconds: float) -> None:
    upstream = HttpUpstream()
    ours = httpx.AsyncClient(transport=UpstreamTransport(upstream), trust_env=False)
    stock = httpx.AsyncClient(trust_env=False, timeout=None)
    uses = {"pool": by_port(upstream), "httpx over pool": by_httpx(ours), "stock httpx": by_httpx(stock)}
    print(f"{'us of CPU':<16} {'plain':>8} {f'{CHUNKS} chunks':>10} {'paced':>8} {'a paced chunk':>14}")
    for name, use in uses.items():
        await use(f"{base}/plain")
        plain = await cpu_each(use, f"{base}/plain", seconds, 1)
        burst = await cpu_each(use, f"{base}/burst", seconds, 1)
        paced = await cpu_each(use, f"{base}/paced", seconds * 2, STREAMS)
        print(f"{name:<16} {plain:>8.0f} {burst:>10.0f} {paced:>8.0f} {(paced - plain) / CHUNKS:>14.1f}")
    await ours.aclose()
    await stock.aclose()
    await upstream.aclose()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    try:
        uvloop.run(measure(f"http://127.0.0.1:{ours.recv()}", seconds))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
