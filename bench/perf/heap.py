"""What open streams hold: Python's memory by the file that asked for it, with so many streams open less with none.

    python bench/perf/heap.py [STREAMS]

Before the gateway, in the same process, are only lists of calls; their own memory is left out. What Rust and C hold (the HTTP
server's and the kernel's buffers) is not Python's and not seen here: the resident memory of `make load` has it all.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import tempfile
import tracemalloc
from collections import Counter
from pathlib import Path

import uvloop

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.perf.gateway import gateway
from bench.perf.workloads import workloads

ROWS = 16
OURS = "bench/perf/"


async def held(name: str, streams: int) -> Counter[str]:
    """Bytes by file that a crowd of open streams holds."""
    workload = workloads()[name]
    with tempfile.TemporaryDirectory(prefix="ccr-heap-") as home:
        async with gateway(Path(home)) as client:
            for count in (50, streams):  # the second time everything that stays is there
                calls = client.prepare(workload.exchange, count)
                await client.run(calls, to_first_event=True)
                await client.finish(calls)
            del calls
            gc.collect()
            tracemalloc.start()
            calls = client.prepare(workload.exchange, streams)
            await client.run(calls, to_first_event=True)
            await asyncio.sleep(0.3)  # the log's thread has written
            gc.collect()
            snapshot = tracemalloc.take_snapshot()
            tracemalloc.stop()
            await client.finish(calls)
    found: Counter[str] = Counter()
    for statistic in snapshot.statistics("filename"):
        file = statistic.traceback[0].filename
        for mark in ("/src/", "site-packages/", "/lib/python3.11/"):
            file = file.rpartition(mark)[2]
        found[file] += statistic.size
    return found


def table(found: Counter[str], streams: int) -> str:
    """Rows of kB a stream, as Markdown."""
    kept = {file: size for file, size in found.items() if OURS not in file and "tracemalloc" not in file}
    total = sum(kept.values())
    lines = ["| kB a stream | file |", "|---|---|", f"| **{total / streams / 1024:.1f}** | all |"]
    rows = Counter(kept).most_common(ROWS)
    lines += [f"| {size / streams / 1024:.2f} | `{file}` |" for file, size in rows]
    rest = total - sum(size for _, size in rows)
    return "\n".join([*lines, f"| {rest / streams / 1024:.2f} | the rest |"])


def main() -> None:
    streams = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for name in ("translate-start", "relay-start"):
            print(f"{name}, {streams} streams open\n\n{table(runner.run(held(name, streams)), streams)}\n")


if __name__ == "__main__":
    main()
