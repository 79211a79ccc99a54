"""`make perf`, and the plain figures: what a workload costs in this process.

python bench/perf/run.py --time [WORKLOAD ...]     CPU microseconds, the least of several rounds
python bench/perf/run.py --profile WORKLOAD        where they go: functions, lines, calls
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
import tempfile
import time
from pathlib import Path

import uvloop

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.perf.gateway import Client, gateway, settle
from bench.perf.sampling import profiled
from bench.perf.workloads import Exchange, Workload, workloads

ROUNDS = 7
SECONDS = 0.4
"""Of one round of --time, about."""


async def warm(client: Client, workload: Workload, count: int) -> None:
    for exchange in filter(None, (workload.exchange, workload.less)):
        calls = client.prepare(exchange, count)
        await client.run(calls)
        for call in calls:
            call.check(exchange)


async def cpu_us(client: Client, workload: Workload, exchange: Exchange, count: int) -> float:
    """Microseconds of CPU of all threads for one request, the log's and the garbage collector's included."""
    calls = client.prepare(exchange, count)
    gc.collect()
    began = time.process_time()
    await (client.start if workload.to_first_event else client.run)(calls)
    await settle()
    spent = time.process_time() - began
    if workload.to_first_event:
        await client.finish(calls)
    for call in calls:
        call.check(exchange)
    return spent * 1e6 / count


async def least(client: Client, workload: Workload, rounds: int) -> float:
    await warm(client, workload, 50)
    first = await cpu_us(client, workload, workload.exchange, 30)
    count = max(20, min(2000, int(SECONDS * 1e6 / first)))
    whole, less = [], [0.0]
    for _ in range(rounds):
        whole.append(await cpu_us(client, workload, workload.exchange, count))
        if workload.less is not None:
            less.append(await cpu_us(client, workload, workload.less, count))
    return (min(whole) - min(less[1:], default=0.0)) / workload.share


async def timed(names: list[str], rounds: int) -> None:
    found = workloads()
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            print(f"CPU us, least of {rounds} rounds")
            for name in names or found:
                print(f"{name:<32}{await least(client, found[name], rounds):10.1f}", flush=True)


async def profile(name: str, seconds: float) -> None:
    workload = workloads()[name]
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            us = await least(client, workload, 3)
            first = await cpu_us(client, workload, workload.exchange, 30)

            async def work(count: int) -> None:
                calls = client.prepare(workload.exchange, count)
                await (client.start if workload.to_first_event else client.run)(calls)
                if workload.to_first_event:
                    await client.finish(calls)

            print(f"{name}: {us:.1f} us of CPU each (least of 3 rounds, not profiled)\n")
            print(await profiled(work, first, seconds))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--time", nargs="*", metavar="WORKLOAD")
    parser.add_argument("--profile", metavar="WORKLOAD", choices=list(workloads()))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seconds", type=float, default=8.0, help="of sampling, with --profile")
    options = parser.parse_args()
    if unknown := set(options.time or ()) - set(workloads()):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(workloads())}")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        if options.profile:
            runner.run(profile(options.profile, options.seconds))
        else:
            runner.run(timed(options.time or [], options.rounds))
    return 0


if __name__ == "__main__":
    sys.exit(main())
