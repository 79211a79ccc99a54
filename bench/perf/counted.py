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
from bench.perf.workloads import workloads
from bench.perf.yardstick import YARDSTICK, lap

WARM = 40
"""Requests before anything is counted: the interpreter specialises its code, memos and the pool fill."""
LAPS = 30


class Marks:
    """The library's functions; see marks.c."""

    def __init__(self, library: str) -> None:
        loaded = ctypes.CDLL(library)
        if not loaded.under_valgrind():
            raise SystemExit("counted.py: not under valgrind")
        self.count = loaded.count
        self.begin = loaded.begin
        self._end = loaded.end

    def end(self, name: str) -> None:
        self._end(name.encode())


async def counted(marks: Marks, names: list[str]) -> None:
    found = workloads()
    chosen = [found[name] for name in names or found]
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as home:
        async with gateway(Path(home)) as client:
            # Collected by hand, at the end of each round: when it happens by itself is chance.
            gc.disable()
            for workload in chosen:
                for exchange in workload.exchanges:
                    await round_of(client, workload, exchange, WARM)
            lap(WARM * 5)
            marks.count()
            for count in (LAPS, 2 * LAPS):
                gc.collect()
                marks.begin()
                lap(count)
                marks.end(f"{YARDSTICK} 0 {count}")
            for workload in chosen:
                for place, exchange in enumerate(workload.exchanges):
                    await round_of(client, workload, exchange, 2)
                    for count in (workload.requests, 2 * workload.requests):
                        end = partial(marks.end, f"{workload.name} {place} {count}")
                        await round_of(client, workload, exchange, count, marks.begin, end)


def main() -> int:
    marks = Marks(sys.argv[1])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(counted(marks, sys.argv[2:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
