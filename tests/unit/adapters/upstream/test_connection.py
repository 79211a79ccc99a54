from __future__ import annotations

import asyncio
import socket

import pytest

from ccr.adapters.upstream.connection import HIGH_WATER, Connection
from ccr.adapters.upstream.parser import ResponseParser
from ccr.adapters.upstream.request import Origin
from tests.unit.adapters.upstream.pairs import OK, ticks

pytestmark = pytest.mark.anyio

ORIGIN = Origin("http", "up", 1)


async def connected() -> tuple[Connection, socket.socket, list[Connection]]:
    lost: list[Connection] = []
    ours, peer = socket.socketpair()
    peer.setblocking(False)
    connection = Connection(ORIGIN, lost.append)
    await asyncio.get_running_loop().create_connection(lambda: connection, sock=ours)
    return connection, peer, lost


async def test_serves_one_exchange_after_the_other() -> None:
    connection, peer, lost = await connected()
    for _ in range(2):
        parser = ResponseParser("up:1")
        connection.send(b"head", b"body", parser)
        peer.send(OK)
        await connection.progress()
        assert peer.recv(99) == b"headbody"
        assert parser.take() == b"ok"
        assert connection.detach()
        assert connection.is_quiet()

    connection.abort()
    connection.abort()
    await ticks()
    assert [connection] == lost
    assert not connection.alive
    assert not connection.is_quiet()
    assert peer.recv(1) == b""
    peer.close()


async def test_a_late_waiter_does_not_take_the_next_ones_place() -> None:
    connection, peer, _ = await connected()
    connection.send(b"", b"", ResponseParser("up:1"))
    late = asyncio.ensure_future(connection.progress())
    await ticks(1)
    late.cancel()
    parser = ResponseParser("up:1")
    connection.send(b"", b"", parser)
    following = asyncio.ensure_future(connection.progress())
    await asyncio.wait([late])
    peer.send(OK)

    await asyncio.wait_for(following, 1)

    assert parser.take() == b"ok"
    connection.abort()
    peer.close()
    await ticks()


async def test_a_slow_reader_stops_the_peer() -> None:
    connection, peer, _ = await connected()
    parser = ResponseParser("up:1")
    connection.send(b"", b"", parser)
    peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
    sent = 0
    for _ in range(400):
        try:
            sent += peer.send(bytes(65536))
        except BlockingIOError:
            await asyncio.sleep(0)
    await ticks()

    assert HIGH_WATER < parser.size <= 2 * HIGH_WATER
    assert parser.size < sent < 400 * 65536

    got = 0
    peer.shutdown(socket.SHUT_WR)
    while not parser.ended:
        got += len(parser.take())
        connection.resume()
        await ticks(1)
    got += len(parser.take())
    assert sent == got
    connection.abort()
    peer.close()
    await ticks()


async def test_connections_that_share_a_buffer_keep_their_bytes_apart() -> None:
    buffer = memoryview(bytearray(16))
    made: list[tuple[Connection, socket.socket, ResponseParser]] = []
    for _ in range(2):
        ours, peer = socket.socketpair()
        connection, parser = Connection(ORIGIN, lambda _: None, buffer), ResponseParser("up:1")
        await asyncio.get_running_loop().create_connection(lambda one=connection: one, sock=ours)  # type: ignore[misc]
        connection.send(b"", b"", parser)
        made.append((connection, peer, parser))
    said = [bytes([65 + number]) * 100 for number in range(2)]
    for (_, peer, _), text in zip(made, said, strict=True):
        peer.send(
            b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n" + text
        )  # many reads of 16 bytes, in turns
    await ticks(40)

    assert [parser.take() for _, _, parser in made] == said
    for connection, peer, _ in made:
        connection.abort()
        peer.close()
    await ticks()


async def test_a_big_body_is_written_whole() -> None:
    connection, peer, _ = await connected()
    body = bytes(1_000_000)
    connection.send(b"head", body, ResponseParser("up:1"))
    got = b""
    while len(got) < len(body) + 4:
        await asyncio.sleep(0)
        try:
            got += peer.recv(1_000_000)
        except BlockingIOError:
            continue

    assert b"head" + body == got
    connection.abort()
    peer.close()
    await ticks()


async def test_an_answer_before_the_whole_request_is_not_reused() -> None:
    connection, peer, _ = await connected()
    parser = ResponseParser("up:1")
    connection.send(b"", bytes(10_000_000), parser)
    peer.send(OK)
    await connection.progress()

    assert parser.ended
    assert not connection.detach()
    connection.abort()
    peer.close()
    await ticks()


async def test_sending_on_a_lost_connection_fails_in_the_parser() -> None:
    connection, peer, _ = await connected()
    peer.close()
    await ticks()
    parser = ResponseParser("up:1")
    connection.send(b"head", b"", parser)
    await connection.progress()

    assert parser.failure is not None
    assert not parser.received
    assert not connection.detach()
