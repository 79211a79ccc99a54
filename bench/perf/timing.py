"""The plain figures, without valgrind: CPU microseconds of a workload in this process, and a profile of it."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path

import uvloop
from bench.perf.flame import grown, svg
from bench.perf.gateway import Client, gateway, round_of
from bench.perf.sampling import Prepare, Work, place, profiled, sampled
from bench.perf.workloads import Exchange, Workload, workloads

WARM = 50
SKIPPED = ("asyncio/", "contextlib.py", "bench/perf", "litestar/middleware", "litestar/routes")
"""Files that say nothing in a flame graph: what they call stands in their place."""
SECONDS = 0.4
"""Of one round, about."""


async def cpu_us(client: Client, workload: Workload, exchange: Exchange, count: int) -> float:
    """Microseconds of CPU of all threads for one request, the log's and the garbage collector's included."""
    began = spent = 0.0

    def begin() -> None:
        nonlocal began
        began = time.process_time()

    def end() -> None:
        nonlocal spent
        spent = time.process_time() - began

    await round_of(client, workload, exchange, count, begin, end)
    return spent * 1e6 / count


async def least(client: Client, workload: Workload, rounds: int) -> float:
    """The least of the rounds: what is more is the machine's."""
    for exchange in workload.exchanges:
        await round_of(client, workload, exchange, WARM)
    count = max(20, min(2000, int(SECONDS * 1e6 / await cpu_us(client, workload, workload.exchange, 30))))
    taken: list[list[float]] = [[] for _ in workload.exchanges]
    for _ in range(rounds):
        for number, exchange in enumerate(workload.exchanges):
            taken[number].append(await cpu_us(client, workload, exchange, count))
    whole, *less = map(min, taken)
    return (whole - sum(less)) / workload.share


async def timed(names: list[str], rounds: int) -> None:
    found = workloads()
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            print(f"CPU us, least of {rounds} rounds")
            for name in names or found:
                print(f"{name:<32}{await least(client, found[name], rounds):10.1f}", flush=True)


def preparing(client: Client, workload: Workload) -> Prepare:
    """What the sampler repeats."""

    def prepare(count: int) -> Work:
        calls = client.prepare(workload.exchange, count)

        async def work() -> None:
            await client.run(calls, to_first_event=workload.to_first_event)
            await client.finish(calls)

        return work

    return prepare


async def profile(name: str, seconds: float) -> None:
    """Print where the time goes."""
    workload = workloads()[name]
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            us = await least(client, workload, 3)
            first = await cpu_us(client, workload, workload.exchange, 30)
            print(f"{name}: {us:.1f} us of CPU each (least of 3 rounds, not profiled)\n")
            print(await profiled(preparing(client, workload), first, seconds))


async def flame(name: str, seconds: float) -> str:
    """Return an SVG of a workload."""
    workload = workloads()[name]
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            us = await cpu_us(client, workload, workload.exchange, 30)
            batch = max(5, min(500, int(100_000 / us)))
            samples, _ = await sampled(preparing(client, workload), batch, seconds)
    stacks: Counter[tuple[str, ...]] = Counter()
    for stack, count in samples.stacks.items():
        stacks[tuple(map(place, stack))] += count
    return svg(grown(stacks, SKIPPED), f"{name}: {samples.taken} samples, 1 ms of CPU apart")


def run(
    names: list[str], rounds: int, profiled_name: str | None, seconds: float, flames: Path | None
) -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if flames is None:
            runner.run(profile(profiled_name, seconds) if profiled_name else timed(names, rounds))
            return
        flames.mkdir(parents=True, exist_ok=True)
        for name in names or workloads():
            file = flames / f"flame-{name}.svg"
            file.write_text(runner.run(flame(name, seconds)))
            print(file)
