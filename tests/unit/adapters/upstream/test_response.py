from __future__ import annotations

import asyncio
import gzip

import pytest

from ccr.domain.errors import UpstreamProtocolError, UpstreamUnavailableError
from tests.unit.adapters.upstream.pairs import REQUEST, PairPool, ticks

pytestmark = pytest.mark.anyio

HEAD = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


async def test_what_has_come_is_one_piece() -> None:
    pool = PairPool()
    pool.greeting = HEAD + b"1\r\na\r\n1\r\nb\r\n"
    response = await pool.open(REQUEST)

    assert await response.chunk() == b"ab"

    pool.peers[0].send(b"1\r\nc\r\n0\r\n\r\n")
    assert await response.chunk() == b"c"
    assert await response.chunk() == b""
    assert await response.chunk() == b""
    await pool.aclose()


async def test_a_cut_comes_after_what_came_before_it() -> None:
    pool = PairPool()
    pool.greeting = HEAD + b"1\r\na\r\n"
    response = await pool.open(REQUEST)
    pool.peers[0].recv(9999)  # closing with something unread would be a reset
    pool.peers[0].close()
    await ticks()

    assert await response.chunk() == b"a"
    for _ in range(2):
        with pytest.raises(UpstreamProtocolError, match=r"up:1 was cut short"):
            await response.chunk()
    await response.aclose()
    assert pool.stats.open == 0
    await pool.aclose()


async def test_cancelling_a_chunk_then_closing() -> None:
    pool = PairPool()
    pool.greeting = HEAD
    response = await pool.open(REQUEST)
    task = asyncio.ensure_future(response.chunk())
    await ticks()
    task.cancel()
    await asyncio.wait([task])

    await response.aclose()
    await response.aclose()

    with pytest.raises(UpstreamUnavailableError, match="closed by us"):
        await response.chunk()
    await ticks()
    assert pool.stats.open == 0
    await pool.aclose()


async def test_closing_wakes_whoever_still_reads() -> None:
    pool = PairPool()
    pool.greeting = HEAD
    response = await pool.open(REQUEST)
    task = asyncio.ensure_future(response.chunk())
    await ticks()

    await response.aclose()

    with pytest.raises(UpstreamUnavailableError, match="closed by us"):
        await asyncio.wait_for(task, 1)
    await pool.aclose()


async def test_reading_all_is_bounded_and_closes() -> None:
    pool = PairPool()
    pool.greeting = HEAD + b"5\r\nhello\r\n0\r\n\r\n"

    assert await (await pool.open(REQUEST)).read(5) == b"hello"
    pool.peers[0].close()
    await ticks()
    with pytest.raises(UpstreamProtocolError, match="longer than 4 bytes"):
        await (await pool.open(REQUEST)).read(4)
    await pool.aclose()


async def test_compression_is_undone() -> None:
    pool = PairPool()
    data = gzip.compress(b"hello")
    pool.greeting = (
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(data) + data
    )
    response = await pool.open(REQUEST)

    assert response.headers == {}
    assert await response.read(5) == b"hello"
    assert pool.stats.idle == 1
    await pool.aclose()
