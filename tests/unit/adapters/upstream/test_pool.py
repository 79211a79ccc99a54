from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from ccr.adapters.upstream.response import PooledResponse
from ccr.application.ports.upstream import Timeouts, UpstreamRequest
from ccr.domain.errors import (
    InternalError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from tests.unit.adapters.upstream.pairs import OK, REQUEST, PairPool, ticks

pytestmark = pytest.mark.anyio


@pytest.fixture
async def pool() -> AsyncIterator[PairPool]:
    made = PairPool()
    made.greeting = OK
    yield made
    await made.aclose()


async def served(pool: PairPool, answer: bytes = OK) -> bytes:
    """One exchange over an idle connection whose peer answers."""
    task = asyncio.ensure_future(pool.open(REQUEST))
    await ticks(2)
    pool.peers[-1].recv(9999)
    pool.peers[-1].send(answer)
    return await (await task).read(99)


async def test_the_youngest_idle_connection_is_used_again(pool: PairPool) -> None:
    first, second = await pool.open(REQUEST), await pool.open(REQUEST)
    assert await first.read(9) == b"ok"
    assert await second.read(9) == b"ok"
    assert (pool.stats.open, pool.stats.idle) == (2, 2)
    for peer in pool.peers:
        peer.recv(9999)

    assert await served(pool) == b"ok"

    assert (pool.stats.dialled, pool.stats.reused) == (2, 1)
    with pytest.raises(BlockingIOError):
        pool.peers[0].recv(1)


async def test_it_is_back_as_soon_as_the_body_was_taken(pool: PairPool) -> None:
    response = await pool.open(REQUEST)
    assert pool.stats.idle == 0

    assert await response.chunk() == b"ok"
    assert pool.stats.idle == 1
    assert await response.chunk() == b""
    await response.aclose()
    assert pool.stats.idle == 1


async def test_a_complete_body_need_not_be_read(pool: PairPool) -> None:
    await (await pool.open(REQUEST)).aclose()

    assert pool.stats.idle == 1


@pytest.mark.parametrize(
    "greeting",
    [
        OK + b"x",
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nkeep-alive: timeout=1\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
    ],
    ids=["surplus", "close", "short keep-alive", "http/1.0", "unfinished"],
)
async def test_what_cannot_be_used_again_is_closed(pool: PairPool, greeting: bytes) -> None:
    pool.greeting = greeting
    response = await pool.open(REQUEST)
    assert await response.chunk() == b"ok"
    await response.aclose()
    await ticks()

    assert (pool.stats.open, pool.stats.idle) == (0, 0)


async def test_an_idle_connection_that_speaks_or_closes_is_dropped(pool: PairPool) -> None:
    for act in ("speak", "close"):
        await (await pool.open(REQUEST)).read(9)
        if act == "speak":
            pool.peers[-1].send(b"HTTP/1.1 408 Timeout\r\n\r\n")
        else:
            pool.peers[-1].close()
        assert pool.stats.idle == 1

        await ticks()

        assert pool.stats.open == 0


async def test_an_idle_connection_is_asked_before_the_loop_has_looked(pool: PairPool) -> None:
    await (await pool.open(REQUEST)).read(9)
    pool.peers[-1].send(b"x")

    assert await (await pool.open(REQUEST)).read(9) == b"ok"

    assert (pool.stats.dialled, pool.stats.reused, pool.stats.retried) == (2, 0, 0)


async def test_a_stale_connection_is_replaced_once(pool: PairPool) -> None:
    await (await pool.open(REQUEST)).read(9)
    task = asyncio.ensure_future(pool.open(REQUEST))
    await asyncio.sleep(0)  # sent
    pool.peers[-1].close()

    assert await (await task).read(9) == b"ok"
    assert pool.stats.retried == 1


async def test_a_fresh_connection_that_closes_is_not_replaced(pool: PairPool) -> None:
    pool.greeting = b""
    task = asyncio.ensure_future(pool.open(REQUEST))
    await ticks()
    pool.peers[-1].close()

    with pytest.raises(UpstreamUnavailableError, match="up:1"):
        await task
    assert (pool.stats.dialled, pool.stats.retried) == (1, 0)


async def test_a_reused_connection_that_began_to_answer_is_not_replaced(pool: PairPool) -> None:
    await (await pool.open(REQUEST)).read(9)
    task = asyncio.ensure_future(pool.open(REQUEST))
    await ticks()
    pool.peers[-1].recv(9999)
    pool.peers[-1].send(b"HTTP/1.1 2")
    pool.peers[-1].close()

    with pytest.raises(UpstreamUnavailableError):
        await task
    assert pool.stats.retried == 0


async def test_idle_connections_are_closed_in_time() -> None:
    pool = PairPool(idle_timeout=0.02)
    pool.greeting = OK
    await (await pool.open(REQUEST)).read(9)
    assert pool.stats.open == 1
    await asyncio.sleep(0.08)

    assert pool.stats.open == 0
    assert pool._reaper is None
    await pool.aclose()


async def test_the_number_of_idle_ones_is_bounded() -> None:
    pool = PairPool(max_idle=2)
    pool.greeting = OK
    responses = [await pool.open(REQUEST) for _ in range(4)]
    for response in responses:
        await response.read(9)
    await ticks()

    assert (pool.stats.open, pool.stats.idle) == (2, 2)
    await pool.aclose()


async def test_first_byte_is_limited() -> None:
    pool = PairPool()
    with pytest.raises(UpstreamTimeoutError, match=r"up:1 did not answer within 0\.01 s"):
        await pool.open(UpstreamRequest("GET", "http://up:1/", (), b"", Timeouts(first_byte=0.01)))
    with pytest.raises(UpstreamTimeoutError):
        await pool.open(
            UpstreamRequest("GET", "http://up:1/", (), b"", Timeouts(first_byte=None, total=0.01))
        )
    await ticks()

    assert pool.stats.open == 0
    await pool.aclose()


async def test_cancelling_closes_that_connection_only(pool: PairPool) -> None:
    other = await pool.open(REQUEST)
    pool.greeting = b""
    task = asyncio.ensure_future(pool.open(REQUEST))
    await ticks()
    task.cancel()
    await asyncio.wait([task])
    await ticks()

    assert task.cancelled()
    assert pool.stats.open == 1
    assert await other.read(9) == b"ok"


async def test_after_closing_there_is_nothing(pool: PairPool) -> None:
    pool.greeting = OK[:-1]
    reading: PooledResponse = await pool.open(REQUEST)
    assert await reading.chunk() == b"o"
    task = asyncio.ensure_future(reading.chunk())
    await ticks()

    await pool.aclose()

    with pytest.raises(UpstreamUnavailableError):
        await task
    assert pool.stats.open == 0


async def test_malformed_requests_do_not_even_connect(pool: PairPool) -> None:
    with pytest.raises(InternalError):
        await pool.open(UpstreamRequest("GET", "http://up:1/", (("a", "b\n"),), b""))
    assert pool.stats.dialled == 0


async def test_a_coding_nobody_asked_for_closes(pool: PairPool) -> None:
    pool.greeting = b"HTTP/1.1 200 OK\r\ncontent-encoding: br\r\ncontent-length: 2\r\n\r\nok"
    with pytest.raises(UpstreamProtocolError):
        await pool.open(REQUEST)
    await ticks()

    assert pool.stats.open == 0
