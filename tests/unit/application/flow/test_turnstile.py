from __future__ import annotations

import asyncio

import pytest

from ccr.application.flow.turnstile import Turnstile

pytestmark = pytest.mark.anyio


async def turns(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


async def test_who_comes_alone_does_not_wait() -> None:
    turnstile = Turnstile(width=2)

    for _ in range(5):
        assert turnstile.passed()
        await turns(3)


async def test_a_crowd_passes_a_few_in_each_turn_and_in_its_order() -> None:
    turnstile = Turnstile(width=3)
    passed: list[int] = []

    async def come(number: int) -> None:
        if not turnstile.passed():
            await turnstile.wait()
        passed.append(number)

    crowd = [asyncio.create_task(come(number)) for number in range(10)]
    seen = []
    while len(passed) < 10:
        await asyncio.sleep(0)
        seen.append(len(passed))

    assert passed == list(range(10))
    assert all(after - before <= 3 for before, after in zip([0, *seen], seen, strict=False))
    await asyncio.gather(*crowd)


async def test_who_comes_later_does_not_overtake() -> None:
    turnstile = Turnstile(width=1)
    assert turnstile.passed()
    first = asyncio.ensure_future(turnstile.wait())
    await asyncio.sleep(0)

    assert not turnstile.passed()
    second = asyncio.ensure_future(turnstile.wait())
    while not first.done():
        assert not second.done()
        await asyncio.sleep(0)
    await second


async def test_who_leaves_the_queue_takes_nobodys_place() -> None:
    turnstile = Turnstile(width=1)
    assert turnstile.passed()
    gone, next_one = asyncio.ensure_future(turnstile.wait()), asyncio.ensure_future(turnstile.wait())
    await asyncio.sleep(0)
    gone.cancel()
    await turns(3)

    assert next_one.done()
    assert gone.cancelled()


async def test_nothing_runs_when_nobody_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    turnstile = Turnstile()
    assert turnstile.passed()
    await turns(4)
    ran: list[Turnstile] = []

    def turn(one: Turnstile) -> None:
        ran.append(one)

    monkeypatch.setattr(Turnstile, "_turn", turn)
    await turns(4)

    assert ran == []
    assert turnstile.passed()
    await turns(2)
    assert ran == [turnstile]
