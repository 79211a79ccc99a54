"""The process that valgrind looks at: each workload twice, N requests and 2 N, a file of counts for each.

    valgrind --tool=callgrind --instr-atstart=no ... python bench/perf/counted.py MARKS_LIBRARY [WORKLOAD ...]

The difference of the two rounds, over N, is what a request costs; what beginning and ending cost cancels out.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import sys
import tempfile
from functools import partial
from pathlib import Path

import uvloop

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.perf.gateway import gateway, round_of
from bench.perf.workloads import Workload, workloads
from bench.perf.yardstick import YARDSTICK, lap

WARM = 40
"""Requests before anything is counted: the interpreter specialises its code, memos and the pool fill."""
LAPS, WARM_LAPS = 30, 200


class Marks:
    """The library's functions; see marks.c."""

    def __init__(self, library: str) -> None:
        loaded = ctypes.CDLL(library)
        if not loaded.under_valgrind():
            raise SystemExit("counted.py: not under valgrind")
        self.count = loaded.count
        self.pause = loaded.pause_counting
        self.begin = loaded.begin
        self._end = loaded.end

    def end(self, name: str) -> None:
        self._end(name.encode())


def measure_yardstick(marks: Marks) -> None:
    """First of all, in a process that has done nothing yet: what the gateway does to the heap must not move it."""
    lap(WARM_LAPS)
    marks.count()
    for count in (LAPS, 2 * LAPS):
        marks.begin()
        lap(count)
        marks.end(f"{YARDSTICK} 0 {count}")
    marks.pause()


async def counted(marks: Marks, chosen: list[Workload]) -> None:
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            for workload in chosen:
                for exchange in workload.exchanges:
                    await round_of(client, workload, exchange, WARM)
            marks.count()
            for workload in chosen:
                for place, exchange in enumerate(workload.exchanges):
                    await round_of(client, workload, exchange, 2)
                    for count in (workload.requests, 2 * workload.requests):
                        end = partial(marks.end, f"{workload.name} {place} {count}")
                        await round_of(client, workload, exchange, count, marks.begin, end)


def main() -> int:
    marks = Marks(sys.argv[1])
    found = workloads()
    # Collected by hand, at the end of each round: when it happens by itself is chance.
    gc.disable()
    measure_yardstick(marks)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(counted(marks, [found[name] for name in sys.argv[2:] or found]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
