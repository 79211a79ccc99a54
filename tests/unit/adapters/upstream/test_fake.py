from __future__ import annotations

import asyncio

import pytest

from ccr.adapters.upstream.fake import FakeUpstream, Pause, Reply
from ccr.application.ports.upstream import Upstream, UpstreamRequest
from ccr.domain.errors import InternalError, UpstreamProtocolError, UpstreamUnavailableError

pytestmark = pytest.mark.anyio

REQUEST = UpstreamRequest("POST", "http://up/", (), b"{}")


async def test_acts_out_its_script_and_records() -> None:
    slept: list[float] = []
    event = asyncio.Event()
    event.set()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    fake = FakeUpstream(
        Reply(201, {"X-A": "b"}, [b"a", Pause(2.0), event, b"b"], before=[Pause(1.0)]),
        ConnectionError(),
        lambda request: Reply(chunks=[request.body]),
        sleep=sleep,
    )
    upstream: Upstream = fake

    response = await upstream.open(REQUEST)
    pieces = [await response.chunk() for _ in range(4)]

    assert (response.status, response.headers) == (201, {"x-a": "b"})
    assert pieces == [b"a", b"b", b"", b""]
    assert slept == [1.0, 2.0]
    with pytest.raises(ConnectionError):
        await upstream.open(REQUEST)
    assert await (await upstream.open(REQUEST)).read(10) == b"{}"
    assert fake.requests == [REQUEST] * 3
    with pytest.raises(InternalError):
        await upstream.open(REQUEST)


async def test_an_error_may_stand_in_the_body() -> None:
    response = await FakeUpstream(Reply(chunks=[b"a", UpstreamProtocolError("cut")])).open(REQUEST)

    assert await response.chunk() == b"a"
    for _ in range(2):
        with pytest.raises(UpstreamProtocolError):
            await response.chunk()
    assert not response.ended


async def test_the_last_script_may_serve_forever() -> None:
    fake = FakeUpstream(Reply(500), Reply(), forever=True)

    assert [(await fake.open(REQUEST)).status for _ in range(3)] == [500, 200, 200]


async def test_closing_is_seen() -> None:
    fake = FakeUpstream(Reply(chunks=[b"a"]), forever=True)
    response = await fake.open(REQUEST)

    await fake.aclose()

    assert (response.closed, response.ended) == (True, False)
    with pytest.raises(UpstreamUnavailableError):
        await response.chunk()
    with pytest.raises(UpstreamUnavailableError):
        await fake.open(REQUEST)


async def test_reading_is_bounded() -> None:
    fake = FakeUpstream(Reply(chunks=[b"abc", b"def"]))
    fake.add(Reply(chunks=[b"abc", b"def"]))

    assert await (await fake.open(REQUEST)).read(6) == b"abcdef"
    with pytest.raises(UpstreamProtocolError, match="longer than 5"):
        await (await fake.open(REQUEST)).read(5)
    assert all(response.closed for response in fake.responses)
