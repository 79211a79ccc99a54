"""The transport under cancellation, under many connections, and before peers that have vanished; on both event loops.

The gateway runs on uvloop, programs that embed it on whatever they have.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from attrs import define

from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.tls import client_context
from ccr.application.ports.upstream import Timeouts
from ccr.domain.errors import UpstreamError, UpstreamTimeoutError
from tests.integration.upstream.servers import CHUNKED, OK, Talk, ok, open_files, request, serving, settled
from tests.support.certificates import Authority, server_context

pytestmark = pytest.mark.anyio
_CANCELLED = 3_000
"""On each loop, half of them over TLS."""
_AT_ONCE = 50


@pytest.fixture(
    scope="module",
    params=[("asyncio", {"use_uvloop": False}), ("asyncio", {"use_uvloop": True})],
    ids=["asyncio", "uvloop"],
)
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    return request.param


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def certificate(authority: Authority) -> Path:
    return authority.signed("localhost")


@pytest.fixture
async def upstream(authority: Authority) -> AsyncIterator[HttpUpstream]:
    made = HttpUpstream(context=client_context(ca_file=str(authority.file)))
    yield made
    await made.aclose()


async def slowly(talk: Talk) -> None:
    """Head, body and end with pauses between them, so that there is something to be cancelled in."""
    await asyncio.sleep(0.002)
    await talk.say(CHUNKED)
    for _ in range(3):
        await asyncio.sleep(0.001)
        await talk.say(b"1\r\na\r\n")
    await talk.say(b"0\r\n\r\n")


@pytest.mark.slow
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
async def test_thousands_of_cancellations_at_any_await_leak_nothing(
    upstream: HttpUpstream, certificate: Path, tls: bool
) -> None:
    """Reliability 0.2: what poisons other pools for good. With a seed, which a failure shows."""
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    finished = 0

    async def use(url: str) -> None:
        nonlocal finished
        response = await upstream.open(request(url, body=bytes(chance.choice([2, 100_000]))))
        try:
            while await response.chunk():
                pass
        finally:
            await response.aclose()
        finished += 1

    async def leave(task: asyncio.Task[None]) -> None:
        if chance.random() < 0.05:
            return  # who stays, so that the others meet kept connections too
        if chance.random() < 0.3:
            for _ in range(chance.randrange(12)):
                await asyncio.sleep(0)
        else:
            await asyncio.sleep(chance.random() ** 2 * 0.06)
        task.cancel()

    async with serving(slowly, tls=server_context(certificate) if tls else None) as server:
        url = f"{'https' if tls else 'http'}://localhost:{server.port}/"
        before = open_files()
        for _ in range(_CANCELLED // 2 // _AT_ONCE):
            tasks = [asyncio.ensure_future(use(url)) for _ in range(_AT_ONCE)]
            await asyncio.gather(*(leave(task) for task in tasks))
            await asyncio.wait(tasks)
            assert not [task.exception() for task in tasks if not task.cancelled() and task.exception()]

        assert await settled(lambda: upstream.stats.direct.open == upstream.stats.direct.idle)
        assert await settled(lambda: server.alive == upstream.stats.direct.open)
        assert await settled(lambda: open_files() <= before + 2 * upstream.stats.direct.open)
        assert 0 < finished < _CANCELLED // 4
        assert upstream.stats.direct.reused > 0
        assert await (await upstream.open(request(url))).read(99) == b"aaa"


async def test_many_records_at_once_are_read_as_they_were_written(
    upstream: HttpUpstream, certificate: Path
) -> None:
    pieces = [bytes([65 + number % 26]) * (1 + 997 * number % 20_000) for number in range(60)]

    async def answer(talk: Talk) -> None:
        await talk.say(CHUNKED)
        for piece in pieces:
            talk.writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))  # a record each, and several a segment
        await talk.say(b"0\r\n\r\n")

    async with serving(answer, tls=server_context(certificate)) as server:
        responses = await asyncio.gather(
            *(upstream.open(request(f"https://localhost:{server.port}/")) for _ in range(10))
        )
        bodies = await asyncio.gather(*(response.read(10_000_000) for response in responses))

    assert set(bodies) == {b"".join(pieces)}


async def test_leaving_while_the_body_goes_up_closes_the_connection(upstream: HttpUpstream) -> None:
    """The peer takes the head and nothing more: the body lies in our buffer when the caller leaves."""
    loop, left = asyncio.get_running_loop(), []
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        listener.setblocking(False)
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        for _ in range(4):
            task = asyncio.ensure_future(upstream.open(request(url, body=bytes(20_000_000))))
            peer, _ = await loop.sock_accept(listener)
            with peer:
                assert b"POST / HTTP/1.1" in await loop.sock_recv(peer, 1000)
                await asyncio.sleep(0.05)
                task.cancel()
                await asyncio.wait([task])

                assert task.cancelled()
                assert await settled(lambda: upstream.stats.direct.open == 0)
                got = 0
                with suppress(ConnectionError):
                    while data := await loop.sock_recv(peer, 1 << 20):
                        got += len(data)
                assert got < 20_000_000  # what the kernel had taken, and then no more
            left.append(open_files())
    assert left[0] == left[-1]


async def test_a_kept_connection_whose_peer_has_vanished_costs_one_request_its_time(
    upstream: HttpUpstream,
) -> None:
    """A host that went down sends no FIN: nothing tells us before the answer does not come."""

    async def vanishes(talk: Talk) -> None:
        if talk.number == 1 and len(server.heads) > 1:
            await asyncio.sleep(60)
        await talk.say(OK)

    soon = Timeouts(connect=5.0, first_byte=0.3)
    async with serving(vanishes) as server:
        assert await (await upstream.open(request(server.url))).read(9) == b"ok"
        with pytest.raises(UpstreamTimeoutError):
            await upstream.open(request(server.url, timeouts=soon))
        # Sent once: a request that may have been taken is not sent again. And that connection is never used again.
        assert len(server.heads) == 2
        assert await settled(lambda: upstream.stats.direct.open == 0)
        assert await (await upstream.open(request(server.url))).read(9) == b"ok"
        assert server.connections == 2


async def test_the_kernel_is_asked_to_notice_dead_peers(upstream: HttpUpstream) -> None:
    async with serving(slowly) as server:
        response = await upstream.open(request(server.url))
        connection = next(iter(upstream._direct._open))
        assert connection._transport is not None
        sock = connection._transport.get_extra_info("socket")
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        await response.aclose()


async def test_a_handshake_that_never_ends_is_a_connection_that_never_stood(upstream: HttpUpstream) -> None:
    accepted: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _reader, writer: accepted.append(writer), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    before = open_files()
    with pytest.raises(UpstreamTimeoutError, match="did not connect within"):
        await upstream.open(request(f"https://localhost:{port}/", timeouts=Timeouts(connect=0.2)))
    for writer in accepted:
        writer.transport.abort()
    silent.close()

    assert upstream.stats.direct.open == 0
    assert await settled(lambda: open_files() <= before)


@pytest.mark.parametrize("end", ["a reset", "an end", "no more bytes"])
async def test_a_peer_that_goes_in_the_handshake(upstream: HttpUpstream, end: str) -> None:
    async def half(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"\x16\x03\x03\x00\x7a\x02")  # the beginning of a ServerHello
        await writer.drain()
        if end == "no more bytes":
            await asyncio.sleep(1)
        if end == "a reset":
            writer.get_extra_info("socket").setsockopt(1, 13, b"\1\0\0\0\0\0\0\0")
        writer.transport.abort() if end == "a reset" else writer.close()

    server = await asyncio.start_server(half, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(UpstreamError) as caught:
        await upstream.open(request(f"https://localhost:{port}/", timeouts=Timeouts(connect=0.5)))
    server.close()
    await asyncio.sleep(1 if end == "no more bytes" else 0)

    assert caught.value.unreached
    assert upstream.stats.direct.open == 0


# ------------------------------------------------------------------------------------------------ work a request


@define
class Work:
    """What a request costs: calls of functions of the transport, and seconds of CPU, the test's own server included."""

    calls: float
    cpu: float


async def _work(upstream: HttpUpstream, many: int) -> Work:
    """``many`` streams at once, all of which wait in the middle; then the cost of ten more that come and go among them."""
    gate = asyncio.Event()

    async def answer(talk: Talk) -> None:
        if b"GET /waits" in talk.head:
            await talk.say(CHUNKED + b"1\r\na\r\n")
            await gate.wait()
            await talk.say(b"0\r\n\r\n")
        else:
            await talk.say(OK)

    async with serving(answer) as server:
        waiting = await asyncio.gather(
            *(upstream.open(request(f"{server.url}/waits", "GET", body=b"")) for _ in range(many))
        )
        assert upstream.stats.direct.open >= many
        rounds = 200
        await (await upstream.open(request(server.url))).read(9)
        began = time.process_time()
        for _ in range(rounds):
            assert await (await upstream.open(request(server.url))).read(9) == b"ok"
        cpu = (time.process_time() - began) / rounds
        with _counted() as count:
            for _ in range(20):
                await (await upstream.open(request(server.url))).read(9)
        gate.set()
        for response in waiting:
            assert await response.read(9) == b"a"
        await upstream.aclose()
    return Work(count[0] / 20, cpu)


@contextmanager
def _counted() -> Iterator[list[int]]:
    count = [0]

    def profile(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call" and "/adapters/upstream/" in frame.f_code.co_filename:
            count[0] += 1

    sys.setprofile(profile)
    try:
        yield count
    finally:
        sys.setprofile(None)


@pytest.mark.slow
async def test_a_request_costs_the_same_among_two_thousand_others(authority: Authority) -> None:
    """Reliability 0.3: others look at every connection for each request."""
    context = ssl.create_default_context()
    found = {many: await _work(HttpUpstream(context=context), many) for many in (50, 500, 2000)}
    print({many: (round(work.calls, 1), f"{work.cpu * 1e6:.0f} us") for many, work in found.items()})

    assert found[2000].calls == pytest.approx(found[50].calls, rel=0.05)
    # Forty times as many connections: a cost that grows with them would be forty times as high.
    assert found[2000].cpu < 4 * found[50].cpu


async def test_idle_connections_cost_nothing_to_take_and_give_back() -> None:
    pool = HttpUpstream(max_idle=2000)
    found: dict[int, float] = {}
    async with serving(ok) as server:
        for many in (10, 500):
            responses = await asyncio.gather(*(pool.open(request(server.url)) for _ in range(many)))
            for response in responses:
                await response.read(9)
            assert pool.stats.direct.idle >= many
            with _counted() as count:
                for _ in range(20):
                    await (await pool.open(request(server.url))).read(9)
            found[many] = count[0] / 20
        await pool.aclose()

    assert found[500] == pytest.approx(found[10], rel=0.05)
