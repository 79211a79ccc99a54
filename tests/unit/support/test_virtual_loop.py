"""Virtual time: what sleeps wakes in order and at once, and what would hang for ever is an error."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.sim.loop import StuckError, VirtualClock, VirtualLoop, simulate


def test_a_day_passes_at_once() -> None:
    async def day(loop: VirtualLoop) -> float:
        began = loop.time()
        for _ in range(24):
            await asyncio.sleep(3600)
        return loop.time() - began

    assert simulate(day) == pytest.approx(86_400)


def test_who_sleeps_less_wakes_first() -> None:
    async def night(_: VirtualLoop) -> list[int]:
        woken: list[int] = []

        async def sleeper(seconds: int) -> None:
            await asyncio.sleep(seconds)
            woken.append(seconds)

        await asyncio.gather(*map(sleeper, (300, 100, 200)))
        return woken

    assert simulate(night) == [100, 200, 300]


def test_what_would_hang_for_ever_is_an_error() -> None:
    async def hang(_: VirtualLoop) -> None:
        await asyncio.Event().wait()

    with pytest.raises(StuckError):
        simulate(hang)


def test_time_limits_and_clocks_are_virtual() -> None:
    async def wait(loop: VirtualLoop) -> list[float]:
        clock, began = VirtualClock(loop), loop.time()
        day = clock.now()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(50):
                await asyncio.sleep(1_000)
        return [clock.monotonic() - began, (clock.now() - day).total_seconds()]

    assert simulate(wait) == pytest.approx([50, 50])


def test_a_threads_work_takes_no_time() -> None:
    async def work(loop: VirtualLoop) -> tuple[int, float]:
        began = loop.time()
        return await asyncio.to_thread(sum, (1, 2, 3)), loop.time() - began

    assert simulate(work) == (6, 0.0)
