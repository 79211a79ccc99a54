from __future__ import annotations

import asyncio

import pytest

from ccr.application.call import Disconnect
from ccr.application.exchange.watch import Watch
from ccr.domain.errors import ClientGoneError, UpstreamTimeoutError

pytestmark = pytest.mark.anyio


async def test_a_client_that_leaves_ends_the_wait() -> None:
    disconnect = Disconnect()
    asyncio.get_running_loop().call_soon(disconnect.set)

    with pytest.raises(ClientGoneError):
        async with Watch(disconnect):
            await asyncio.Event().wait()


async def test_a_client_that_had_left_ends_it_at_once() -> None:
    disconnect = Disconnect()
    disconnect.set()

    with pytest.raises(ClientGoneError):
        async with Watch(disconnect):
            await asyncio.Event().wait()


async def test_no_progress_ends_it_and_progress_does_not() -> None:
    with pytest.raises(UpstreamTimeoutError, match="nothing new"):
        async with Watch(Disconnect(), idle=0.05) as watch:
            for _ in range(5):
                await asyncio.sleep(0.02)
                watch.progress()
            await asyncio.Event().wait()


async def test_time_spent_on_the_client_is_not_the_provider_s() -> None:
    async with Watch(Disconnect(), idle=0.02) as watch:
        watch.paused = True
        await asyncio.sleep(0.08)
        watch.paused = False


async def test_the_total_limit_holds_whatever_progress_there_is() -> None:
    with pytest.raises(UpstreamTimeoutError, match="not complete"):
        async with Watch(Disconnect(), idle=5, total=0.03) as watch:
            while True:
                await asyncio.sleep(0.005)
                watch.progress()


async def test_silence_is_told_again_and_again() -> None:
    told: list[int] = []
    async with Watch(Disconnect(), quiet=0.01, on_quiet=lambda: told.append(1)):
        await asyncio.sleep(0.06)

    assert len(told) >= 2


async def test_speaking_puts_the_silence_off() -> None:
    told: list[int] = []
    async with Watch(Disconnect(), quiet=0.05, on_quiet=lambda: told.append(1)) as watch:
        for _ in range(6):
            await asyncio.sleep(0.015)
            watch.spoke()

    assert not told


async def test_an_outer_cancellation_passes_through() -> None:
    async def watched() -> None:
        async with Watch(Disconnect(), idle=5):
            await asyncio.Event().wait()

    task = asyncio.create_task(watched())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_nothing_is_left_behind() -> None:
    disconnect = Disconnect()
    async with Watch(disconnect, idle=0.01):
        pass
    disconnect.set()
    await asyncio.sleep(0.03)

    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]


async def test_an_idle_limit_may_begin_later() -> None:
    with pytest.raises(UpstreamTimeoutError):
        async with Watch(Disconnect()) as watch:
            watch.limit_idle(0.02)
            await asyncio.Event().wait()
