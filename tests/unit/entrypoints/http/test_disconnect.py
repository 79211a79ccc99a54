from __future__ import annotations

import asyncio

import pytest

from ccr.application.settings import LimitSettings
from ccr.domain.errors import BodyTooLargeError, ClientGoneError, InvalidRequestError
from ccr.entrypoints.http.disconnect import Body, Incoming
from tests.support.asgi import Wire

pytestmark = pytest.mark.anyio

LIMITS = LimitSettings(max_body=10, body_idle=0.05, body_total=0.12)


def incoming(wire: Wire) -> Incoming:
    return Incoming(wire.receive, LIMITS)


@pytest.mark.parametrize("pieces", [(b"",), (b"abc",), (b"a", b"bc"), (b"a", b"", b"bc", b""), (b"x" * 10,)])
async def test_the_whole_body_is_loaded(pieces: tuple[bytes, ...]) -> None:
    body = incoming(Wire(*pieces))

    assert b"".join(pieces) == await body.load()
    body.close()


async def test_the_first_byte_too_many_ends_it() -> None:
    wire = Wire(b"x" * 6, b"x" * 5, b"x" * 1000)
    with pytest.raises(BodyTooLargeError, match="10 bytes"):
        await incoming(wire).load()

    assert wire.taken == 2


async def test_a_pause_is_bounded() -> None:
    with pytest.raises(InvalidRequestError, match="in time"):
        await incoming(Wire(b"a", 1, b"b")).load()


async def test_a_body_in_drops_is_bounded_in_all() -> None:
    drops = [item for _ in range(9) for item in (b"a", 0.03)]
    with pytest.raises(InvalidRequestError, match="in time"):
        await incoming(Wire(*drops, b"")).load()


async def test_a_slow_body_within_the_limits_is_taken() -> None:
    body = incoming(Wire(b"a", 0.02, b"b", 0.02, b"c"))

    assert await body.load() == b"abc"
    body.close()


async def test_a_client_that_leaves_while_it_sends_is_gone() -> None:
    with pytest.raises(ClientGoneError):
        await incoming(Wire(b"a", None)).load()


async def test_a_client_that_leaves_later_is_noticed() -> None:
    wire = Wire(b"a")
    body = incoming(wire)
    await body.load()
    told: list[bool] = []
    body.disconnect.tell(lambda: told.append(True))
    assert not body.disconnect.gone
    wire.gone.set()
    await asyncio.sleep(0.01)

    assert body.disconnect.gone
    assert told == [True]


async def test_after_close_nobody_waits_any_more() -> None:
    wire = Wire(b"a")
    body = incoming(wire)
    await body.load()
    body.watch()
    before = len(asyncio.all_tasks())
    body.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)

    assert len(asyncio.all_tasks()) == before - 1
    wire.gone.set()
    assert not body.disconnect.gone


async def test_what_was_not_read_is_read_away() -> None:
    wire = Wire(b"a", b"b", b"c")
    body = Body(wire.receive)
    await body()
    assert not body.over
    await body.read_away()

    assert (body.over, wire.taken) == (True, 3)


async def test_reading_away_stops_when_the_client_leaves() -> None:
    body = Body(Wire(b"a", None).receive)
    await body.read_away()

    assert body.over
