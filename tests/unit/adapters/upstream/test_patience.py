from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
import uvloop

from ccr.adapters.upstream.patience import Patience

LOOPS = pytest.mark.parametrize(
    "new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"]
)


def run(new_loop: Callable[[], asyncio.AbstractEventLoop], work: Callable[[], object]) -> object:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work())  # type: ignore[arg-type]  # a coroutine


async def answered_while_the_loop_stands_still(limit: object) -> str:
    """The answer comes 0.3 s after the question; the loop looks at it, and at the limit of 0.25 s, after 0.45 s."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()
    loop.call_later(0.05, time.sleep, 0.4)
    loop.call_later(0.3, answer.set_result, "here")
    async with limit:  # type: ignore[attr-defined]  # either of two
        return await answer


@LOOPS
def test_time_in_which_nobody_looked_does_not_count(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def work() -> str:
        return await answered_while_the_loop_stands_still(Patience(0.25))

    assert run(new_loop, work) == "here"


@LOOPS
def test_without_it_it_would(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def work() -> str:
        return await answered_while_the_loop_stands_still(asyncio.timeout(0.25))

    with pytest.raises(TimeoutError):
        run(new_loop, work)


@LOOPS
def test_who_does_not_answer_is_left_all_the_same(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def work() -> None:
        async with Patience(0.05):
            await asyncio.get_running_loop().create_future()

    with pytest.raises(TimeoutError):
        run(new_loop, work)


@LOOPS
def test_no_limit_is_none_and_nothing_is_left_behind(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    async def work() -> list[object]:
        async with Patience(None):
            await asyncio.sleep(0)
        async with Patience(0.01) as patience:
            pass
        await asyncio.sleep(0.05)
        return [patience]

    assert run(new_loop, work)


@LOOPS
def test_who_is_cancelled_is_cancelled(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def work() -> bool:
        async def wait() -> None:
            async with Patience(60):
                await asyncio.get_running_loop().create_future()

        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        return task.cancelled()

    assert run(new_loop, work) is True
