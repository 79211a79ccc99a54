from __future__ import annotations

import asyncio
import gc
import sys
import threading
import time

import pytest

from ccr.adapters.routing.worker import Worker

pytestmark = pytest.mark.anyio


def named(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == name]


async def test_runs_plain_and_async_functions_in_a_thread_of_their_own() -> None:
    async def where() -> str:
        await asyncio.sleep(0)
        return threading.current_thread().name

    assert await Worker(where, "w1")() == "w1"
    assert await Worker(lambda a, b: a + b, "w2")(1, 2) == 3


async def test_errors_come_back() -> None:
    with pytest.raises(ZeroDivisionError):
        await Worker(lambda: 1 / 0, "w3")()


async def test_an_exit_is_an_error_and_the_worker_goes_on() -> None:
    worker = Worker(lambda code: sys.exit(code) if code else "fine", "w4")
    with pytest.raises(RuntimeError, match="SystemExit"):
        await worker(3)
    assert await worker(0) == "fine"


async def test_a_function_that_blocks_does_not_block_us() -> None:
    free = threading.Event()
    worker = Worker(free.wait, "w5")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await worker(10)
    free.set()


async def test_ends_when_nobody_holds_it() -> None:
    worker = Worker(lambda: 1, "w6")
    await worker()
    assert len(named("w6")) == 1
    del worker
    gc.collect()
    deadline = time.monotonic() + 5
    while named("w6") and time.monotonic() < deadline:
        await asyncio.sleep(0.01)
    assert named("w6") == []
