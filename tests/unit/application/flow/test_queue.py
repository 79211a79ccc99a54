from __future__ import annotations

import asyncio
import random

import pytest

from ccr.application.flow.queue import Slots, caller_of, rank_of
from ccr.domain.access import Principal
from ccr.domain.fairness import Rank
from tests.support.routing import call

pytestmark = pytest.mark.anyio


async def test_a_place_promised_to_somebody_who_is_cancelled_meanwhile_goes_to_the_next() -> None:
    slots = Slots(1)
    assert await slots.take("a", Rank.MAIN, 0)
    first = asyncio.ensure_future(slots.take("a", Rank.MAIN, 60))
    second = asyncio.ensure_future(slots.take("b", Rank.MAIN, 60))
    await asyncio.sleep(0)
    slots.give_back()
    first.cancel()

    assert await second
    assert (slots.used, slots.queued) == (1, 0)


async def test_patience_ends() -> None:
    slots = Slots(1)
    assert await slots.take("a", Rank.MAIN, 0)

    assert not await slots.take("a", Rank.MAIN, 0.001)
    assert (slots.used, slots.queued) == (1, 0)
    slots.give_back()
    assert slots.used == 0


async def test_no_limit_is_no_limit() -> None:
    slots = Slots()

    assert all([await slots.take("a", Rank.MAIN, 0) for _ in range(100)])


async def test_nobody_comes_before_those_who_wait() -> None:
    slots = Slots(1)
    await slots.take("a", Rank.MAIN, 0)
    waiting = asyncio.ensure_future(slots.take("b", Rank.AUXILIARY, 60))
    await asyncio.sleep(0)
    slots.limit = 2

    assert not slots.has_room
    slots.serve()
    assert await waiting


@pytest.mark.parametrize("seed", range(20))
async def test_never_more_than_the_limit_and_no_place_is_lost(seed: int) -> None:
    chance, slots, inside, worst = random.Random(seed), Slots(3, most_queued=5), 0, 0

    async def visit() -> None:
        nonlocal inside, worst
        if await slots.take(chance.choice("abc"), chance.choice(list(Rank)), chance.choice((0, 60))):
            inside += 1
            worst = max(worst, inside)
            try:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
            finally:
                inside -= 1
                slots.give_back()

    tasks = [asyncio.ensure_future(visit()) for _ in range(60)]
    for _ in range(40):
        chance.choice(tasks).cancel()
        await asyncio.sleep(0)
    await asyncio.gather(*tasks, return_exceptions=True)

    assert (worst, slots.used, slots.queued) == (3, 0, 0)


def test_a_credential_counts_before_a_session() -> None:
    asked = call(x_claude_code_session_id="s1")

    assert caller_of(asked) == "s1"
    assert caller_of(call()) == "local"
    asked.principal = Principal("team-a")
    assert caller_of(asked) == "team-a"


def test_ranks() -> None:
    assert rank_of("background", is_subagent=True) is Rank.AUXILIARY
    assert rank_of("default", is_subagent=True) is Rank.SUBAGENT
    assert rank_of("think", is_subagent=False) is Rank.MAIN


async def test_who_leaves_while_waiting_is_out_of_the_queue_at_once() -> None:
    slots, asked = Slots(1), call()
    assert await slots.take("a", Rank.MAIN, 0)
    waiting = asyncio.ensure_future(slots.take("a", Rank.MAIN, 60, asked.disconnect))
    other = asyncio.ensure_future(slots.take("b", Rank.MAIN, 60))
    await asyncio.sleep(0)
    asked.disconnect.set()

    assert slots.queued == 1
    slots.give_back()
    assert not await waiting
    assert await other
    assert (slots.used, slots.queued) == (1, 0)


async def test_who_leaves_after_it_was_its_turn_has_its_place() -> None:
    slots, asked = Slots(1), call()
    assert await slots.take("a", Rank.MAIN, 0)
    waiting = asyncio.ensure_future(slots.take("a", Rank.MAIN, 60, asked.disconnect))
    await asyncio.sleep(0)
    slots.give_back()
    asked.disconnect.set()

    assert await waiting
    assert slots.used == 1
