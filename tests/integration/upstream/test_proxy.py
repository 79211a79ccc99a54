"""PROXY_URL and HTTP/2 through stock httpx transports."""

from __future__ import annotations

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.application.ports.upstream import Timeouts
from ccr.domain.errors import UpstreamProtocolError, UpstreamTimeoutError, UpstreamUnavailableError
from tests.integration.upstream.servers import (
    CHUNKED,
    Server,
    Talk,
    ok,
    open_files,
    request,
    serving,
    settled,
)

pytestmark = pytest.mark.anyio


async def forward(talk: Talk) -> None:
    """A proxy for everything that leads to one's own machine, whatever name it has."""
    method, target, _ = talk.head.split(b" ", 2)
    if method == b"CONNECT":
        port = int(target.rpartition(b":")[2])
        await talk.say(b"HTTP/1.1 200 Connected\r\n\r\n")
        rest = b""
    else:
        authority, _, path = target.removeprefix(b"http://").partition(b"/")
        port = int(authority.rpartition(b":")[2])
        rest = talk.head.replace(target, b"/" + path, 1) + talk.body
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(rest)
    pumps = [
        asyncio.ensure_future(pump(talk.reader, writer)),
        asyncio.ensure_future(pump(reader, talk.writer)),
    ]
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in pumps:
            task.cancel()
        writer.transport.abort()
        talk.writer.close()


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()


@pytest.fixture
async def proxy() -> AsyncIterator[Server]:
    async with serving(forward) as server:
        yield server


async def test_goes_through_the_proxy_and_keeps_the_connection(proxy: Server) -> None:
    upstream = HttpUpstream(proxy_url=f"http://user:pass@127.0.0.1:{proxy.port}")
    async with serving(ok) as server:
        for _ in range(3):
            response = await upstream.open(
                request(f"http://up.test:{server.port}/x", headers=(("x-a", "b"),))
            )
            assert response.status == 200
            assert await response.read(9) == b"ok"
        assert proxy.heads[0].startswith(b"POST http://up.test:%d/x HTTP/1.1\r\n" % server.port)
        assert base64.b64encode(b"user:pass") in proxy.heads[0]
        head = server.heads[0].lower()
        assert b"host: up.test:%d\r\n" % server.port in head
        assert head.count(b"\r\nhost:") == head.count(b"\r\ncontent-length:") == 1
        assert b"accept-encoding: identity" in head
        assert b"x-a: b" in head
        assert (upstream.stats.proxied_open, upstream.stats.proxied_idle) == (1, 1)
        assert proxy.connections == 1

        await upstream.aclose()
        assert await settled(lambda: proxy.alive == 0)


async def test_tls_goes_through_connect(proxy: Server) -> None:
    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}")
    async with serving(ok) as server:
        # The tunnel is what is tested: the server behind it speaks no TLS.
        with pytest.raises((UpstreamUnavailableError, UpstreamTimeoutError)):
            await upstream.open(
                request(f"https://up.test:{server.port}/", timeouts=Timeouts(connect=0.5, first_byte=0.5))
            )
    assert proxy.heads[0].startswith(b"CONNECT up.test:%d HTTP/1.1\r\n" % server.port)
    await upstream.aclose()


async def test_loopback_and_the_bypass_list_are_spared(proxy: Server) -> None:
    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}", bypass=["up.invalid"])
    async with serving(ok) as server:
        assert await (await upstream.open(request(server.url))).read(9) == b"ok"
        assert await (await upstream.open(request(f"http://localhost:{server.port}"))).read(9) == b"ok"
        with pytest.raises(UpstreamUnavailableError, match="resolved"):
            await upstream.open(request(f"http://up.invalid:{server.port}"))
    assert not proxy.heads
    await upstream.aclose()


async def test_a_reload_changes_the_way_and_lets_streams_end(proxy: Server) -> None:
    gate = asyncio.Event()

    async def stream(talk: Talk) -> None:
        await talk.say(CHUNKED + b"1\r\na\r\n")
        await gate.wait()
        await talk.say(b"1\r\nb\r\n0\r\n\r\n")

    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}")
    async with serving(stream) as server:
        response = await upstream.open(request(f"http://up.test:{server.port}"))
        assert await response.chunk() == b"a"
        upstream.configure(None)
        gate.set()

        assert await response.chunk() == b"b"
        assert await response.chunk() == b""
        assert await settled(lambda: upstream.stats.proxied_open == 0)
        assert await settled(lambda: proxy.alive == 0)
    await upstream.aclose()


async def test_cancellations_leak_nothing(proxy: Server) -> None:
    async def slow(talk: Talk) -> None:
        await talk.say(CHUNKED + b"1\r\na\r\n")
        await talk.reader.read(1)
        talk.writer.close()

    async def use() -> None:
        response = await upstream.open(request(f"http://up.test:{server.port}"))
        try:
            while await response.chunk():
                pass
        finally:
            await response.aclose()

    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}")
    async with serving(slow) as server:
        before = open_files()
        for delay in (0.0, 0.0, 0.001, 0.003, 0.01, 0.03):
            tasks = [asyncio.ensure_future(use()) for _ in range(10)]
            await asyncio.sleep(delay)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

        assert await settled(lambda: upstream.stats.proxied_open == 0)
        assert await settled(lambda: open_files() <= before)
    await upstream.aclose()


@pytest.mark.parametrize(
    "raw, words",
    [(CHUNKED + b"5\r\nhel", "cut short"), (b"SSH-2.0\r\n\r\n", "proper HTTP")],
    ids=["cut", "junk"],
)
async def test_bad_answers_are_told_as_on_the_direct_way(proxy: Server, raw: bytes, words: str) -> None:
    async def bad(talk: Talk) -> None:
        await talk.say(raw)
        talk.writer.close()

    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}")
    async with serving(bad) as server:
        with pytest.raises(UpstreamProtocolError, match=words):
            await (await upstream.open(request(f"http://up.test:{server.port}"))).read(99)
        assert await settled(lambda: upstream.stats.proxied_open == 0)
    await upstream.aclose()


async def test_idle_transports_are_closed_in_time(proxy: Server) -> None:
    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}", idle_timeout=0.1)
    async with serving(ok) as server:
        assert await (await upstream.open(request(f"http://up.test:{server.port}"))).read(9) == b"ok"
        assert upstream.stats.proxied_idle == 1
        assert await settled(lambda: upstream.stats.proxied_open == 0)
        assert await settled(lambda: proxy.alive == 0)
    await upstream.aclose()


async def test_a_kept_connection_that_the_proxy_gave_up_is_replaced(proxy: Server) -> None:
    async def once(talk: Talk) -> None:
        if len(server.heads) == 2:
            talk.reset()
        else:
            await ok(talk)

    upstream = HttpUpstream(proxy_url=f"http://127.0.0.1:{proxy.port}")
    async with serving(once) as server:
        for _ in range(2):
            assert await (await upstream.open(request(f"http://up.test:{server.port}"))).read(9) == b"ok"
        assert len(server.heads) == 3
    await upstream.aclose()


async def test_http_2_has_stock_transports_of_its_own() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{closed.getsockname()[1]}"
        upstream = HttpUpstream(http2=[url])
        with pytest.raises(UpstreamUnavailableError, match="refuses"):
            await upstream.open(request(url))
        assert upstream.stats.direct.dialled == upstream.stats.proxied_open == 0
    await upstream.aclose()


async def test_no_proxy_there() -> None:
    upstream = HttpUpstream(proxy_url="http://127.0.0.1:9")
    with pytest.raises(UpstreamUnavailableError, match=r"up\.test:80"):
        await upstream.open(request("http://up.test/"))
    await upstream.aclose()
