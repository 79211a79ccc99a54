"""The pool over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.transport import UpstreamTransport
from ccr.application.ports.upstream import Timeouts
from ccr.domain.errors import (
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.integration.upstream.servers import CHUNKED, OK, Talk, ok, open_files, request, serving, settled

pytestmark = pytest.mark.anyio


@pytest.fixture
async def upstream() -> AsyncIterator[HttpUpstream]:
    made = HttpUpstream()
    yield made
    await made.aclose()


async def test_connections_are_kept_and_the_youngest_used_first(upstream: HttpUpstream) -> None:
    async def who(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n%d" % talk.number)

    async with serving(who) as server:
        pair = [await upstream.open(request(server.url)) for _ in range(2)]
        names = [await response.read(9) for response in pair]
        again = [await (await upstream.open(request(server.url))).read(9) for _ in range(3)]

    assert names == [b"1", b"2"]
    assert again == [b"2", b"2", b"2"]


async def test_names_are_resolved_and_every_address_tried(upstream: HttpUpstream) -> None:
    async with serving(ok) as server:
        response = await upstream.open(request(f"http://localhost:{server.port}/p?q=1"))
        assert await response.read(9) == b"ok"
    assert server.heads[0].startswith(b"POST /p?q=1 HTTP/1.1\r\nhost: localhost:%d\r\n" % server.port)


async def test_ipv6(upstream: HttpUpstream) -> None:
    try:
        async with serving(ok, host="::1") as server:
            assert await (await upstream.open(request(f"http://[::1]:{server.port}/"))).read(9) == b"ok"
    except OSError:
        pytest.skip("no IPv6 loopback here")


async def test_a_connection_that_the_server_gave_up_is_replaced(upstream: HttpUpstream) -> None:
    async def once(talk: Talk) -> None:
        if talk.number == 1 and len(server.heads) == 2:
            talk.writer.transport.abort()
        else:
            await talk.say(OK)

    async with serving(once) as server:
        for _ in range(2):
            assert await (await upstream.open(request(server.url))).read(9) == b"ok"

    assert (len(server.heads), server.connections) == (3, 2)
    assert upstream.stats.direct.retried == 1


async def test_only_one_retry(upstream: HttpUpstream) -> None:
    async def never_again(talk: Talk) -> None:
        if len(server.heads) == 1:
            await talk.say(OK)
        else:
            talk.reset()

    async with serving(never_again) as server:
        await (await upstream.open(request(server.url))).read(9)
        with pytest.raises(UpstreamUnavailableError):
            await upstream.open(request(server.url))

    assert len(server.heads) == 3


async def test_redirects_are_answers(upstream: HttpUpstream) -> None:
    async def away(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 307 x\r\nlocation: /elsewhere\r\ncontent-length: 0\r\n\r\n")

    async with serving(away) as server:
        response = await upstream.open(request(server.url))

        assert (response.status, response.headers["location"]) == (307, "/elsewhere")
        assert await response.read(9) == b""
    assert len(server.heads) == 1


@pytest.mark.parametrize("stage", ["connect", "first byte", "body"])
async def test_six_hundred_cancellations_leak_nothing(upstream: HttpUpstream, stage: str) -> None:
    async def slow(talk: Talk) -> None:
        if stage == "body":
            await talk.say(CHUNKED + b"1\r\na\r\n")
        await talk.reader.read(1)
        talk.writer.transport.abort()

    async def use() -> None:
        response = await upstream.open(request(server.url))
        try:
            while await response.chunk():
                pass
        finally:
            await response.aclose()

    async with serving(slow) as server:
        before = open_files()
        for batch in range(30):
            tasks = [asyncio.ensure_future(use()) for _ in range(20)]
            if stage == "connect":
                for ticks in range(20):  # each a little further on its way
                    await asyncio.sleep(0)
                    tasks[ticks].cancel()
            else:
                while len(server.heads) < 20 * (batch + 1):
                    await asyncio.sleep(0.001)
                await asyncio.sleep(0.002)
                for task in tasks:
                    task.cancel()
            await asyncio.wait(tasks)
            assert all(task.cancelled() for task in tasks)

        assert await settled(lambda: upstream.stats.direct.open == 0)
        assert await settled(lambda: server.alive == 0)
        assert await settled(lambda: open_files() <= before)

    async with serving(ok) as server:
        assert await (await upstream.open(request(server.url))).read(9) == b"ok"


async def test_a_slow_reader_stops_the_server(upstream: HttpUpstream) -> None:
    written = 0
    piece = bytes(65536)

    async def flood(talk: Talk) -> None:
        nonlocal written
        talk.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        await talk.say(CHUNKED)
        for _ in range(1600):
            await talk.say(b"10000\r\n" + piece + b"\r\n")
            written += len(piece)
        await talk.say(b"0\r\n\r\n")

    async with serving(flood) as server:
        response = await upstream.open(request(server.url))
        await asyncio.sleep(0.3)
        assert written < 16_000_000  # of 100 MB: what the kernel holds, and half a megabyte here

        size = 0
        while data := await response.chunk():
            size += len(data)
    assert size == 1600 * 65536


async def test_five_hundred_streams_at_once(upstream: HttpUpstream) -> None:
    async def stream(talk: Talk) -> None:
        await talk.say(CHUNKED)
        for n in range(5):
            await asyncio.sleep(0.02)
            await talk.say(b"2\r\n%02d\r\n" % n)
        await talk.say(b"0\r\n\r\n")

    async def use() -> bytes:
        return await (await upstream.open(request(server.url))).read(99)

    async with serving(stream) as server:
        bodies = await asyncio.gather(*(use() for _ in range(500)))

        assert set(bodies) == {b"0001020304"}
        assert upstream.stats.direct.open == upstream.stats.direct.idle == 100
        assert server.connections == 500


@pytest.mark.parametrize(
    "raw, error, words",
    [
        (b"", UpstreamUnavailableError, "before it answered"),
        (b"HTTP/1.1 20", UpstreamUnavailableError, "before it answered"),
        (b"220 smtp.example.com ESMTP\r\n", UpstreamProtocolError, "HTTP"),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", UpstreamProtocolError, "headers"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 100_000, UpstreamProtocolError, "headers"),
        (CHUNKED + b"zz\r\nx", UpstreamProtocolError, "HTTP"),
        (CHUNKED + b"5\r\nhel", UpstreamProtocolError, "cut short"),
        (CHUNKED + b"5\r\nhello\r\n", UpstreamProtocolError, "cut short"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello", UpstreamProtocolError, "cut short"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\n\r\nhello", UpstreamProtocolError, "coding"),
        (
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\n\r\n" + gzip.compress(bytes(80_000_000)),
            UpstreamProtocolError,
            "too far",
        ),
    ],
    ids=["fin", "head", "smtp", "bomb", "long", "size", "cut", "no end", "short", "br", "gzip bomb"],
)
async def test_bad_answers(
    upstream: HttpUpstream, raw: bytes, error: type[UpstreamError], words: str
) -> None:
    async def bad(talk: Talk) -> None:
        await talk.say(raw)
        talk.writer.close()

    async with serving(bad) as server:
        with pytest.raises(error) as caught:
            await (await upstream.open(request(server.url))).read(100_000_000)
        assert words in caught.value.message
        assert f"127.0.0.1:{server.port}" in caught.value.message
        assert await settled(lambda: upstream.stats.direct.open == 0)


async def test_a_reset_in_the_body_is_not_an_end(upstream: HttpUpstream) -> None:
    async def broken(talk: Talk) -> None:
        await talk.say(b"HTTP/1.0 200 OK\r\n\r\nhello")
        await asyncio.sleep(0.05)
        talk.reset()

    async with serving(broken) as server:
        response = await upstream.open(request(server.url))
        assert await response.chunk() == b"hello"
        with pytest.raises(UpstreamUnavailableError):
            await response.chunk()


async def test_an_http_1_0_body_ends_with_the_connection(upstream: HttpUpstream) -> None:
    async def old(talk: Talk) -> None:
        await talk.say(b"HTTP/1.0 200 OK\r\n\r\nhello")
        talk.writer.close()

    async with serving(old) as server:
        assert await (await upstream.open(request(server.url))).read(9) == b"hello"
    assert upstream.stats.direct.idle == 0


async def test_a_megabyte_goes_up_and_an_early_refusal_comes_down(upstream: HttpUpstream) -> None:
    async def count(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\n%d" % len(talk.body))

    async with serving(count) as server:
        assert await (await upstream.open(request(server.url, body=bytes(1_000_000)))).read(9) == b"1000000"


async def test_limits(upstream: HttpUpstream) -> None:
    async def silent(talk: Talk) -> None:
        await talk.reader.read(1)
        talk.writer.close()

    async with serving(silent) as server:
        with pytest.raises(UpstreamTimeoutError, match=rf"127\.0\.0\.1:{server.port} did not answer"):
            await upstream.open(request(server.url, timeouts=Timeouts(first_byte=0.05)))
        with pytest.raises(UpstreamTimeoutError):
            await upstream.open(request(server.url, timeouts=Timeouts(total=0.05)))

    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        with pytest.raises(UpstreamTimeoutError, match="did not connect within"):
            await upstream.open(request(url, timeouts=Timeouts(connect=0.1)))
        for filler in fillers:
            filler.close()


async def test_nobody_there(upstream: HttpUpstream) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        with pytest.raises(UpstreamUnavailableError, match=f"127.0.0.1:{port} refuses"):
            await upstream.open(request(f"http://127.0.0.1:{port}/?key=secret"))
    with pytest.raises(UpstreamUnavailableError, match="resolved"):
        await upstream.open(request("http://no-such-host.invalid/"))


async def test_httpx_over_the_pool(upstream: HttpUpstream) -> None:
    async with (
        serving(ok) as server,
        httpx.AsyncClient(transport=UpstreamTransport(upstream), trust_env=False) as http,
    ):
        for _ in range(3):
            answer = await http.post(server.url, json={"a": 1})
            assert (answer.status_code, answer.text) == (200, "ok")
        assert server.connections == 1
        assert upstream.stats.direct.idle == 1
