"""`make perf`: what a request costs in instructions, beside its budget; and where its time goes.

    python bench/perf/run.py [--update] [WORKLOAD ...]     instructions under valgrind beside bench/budgets.toml
    python bench/perf/run.py --time [WORKLOAD ...]         CPU microseconds without valgrind, the least of several rounds
    python bench/perf/run.py --profile WORKLOAD            without valgrind: Python functions, lines, calls
    python bench/perf/run.py --flame FOLDER WORKLOAD ...   a flame graph of each as SVG
    python bench/perf/run.py --callgrind WORKLOAD          C functions by instructions; leaves bench/results/callgrind.WORKLOAD

docs/explanation/performance-budget.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from bench.perf import budget, valgrind
from bench.perf.workloads import workloads
from bench.perf.yardstick import YARDSTICK

BENCH = Path(__file__).resolve().parents[1]
BUDGETS = BENCH / "budgets.toml"
TOP = 40
FOLDERS = re.compile(r"(?<=[ \[])[^ \[\]]*/")
"""Of files and libraries in valgrind's table."""


def check(names: list[str], *, update: bool) -> int:
    """Count, compare, and say. 0: all within their budgets, or there is nothing to count with outside of CI."""
    if missing := valgrind.missing():
        strict = bool(os.environ.get("CI"))
        print(
            f"perf: {'FAILED' if strict else 'skipped'}: {missing} not there (Debian: apt-get install valgrind gcc libc6-dev)"
        )
        return 1 if strict else 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as folder:
        found = valgrind.count(Path(folder), names)
    if update:
        BUDGETS.write_text(budget.write(found))
        print(f"perf: {BUDGETS.relative_to(BENCH.parent)} written")
    budgets = budget.read(BUDGETS.read_text()) if BUDGETS.exists() else {}
    if names:
        budgets = {name: entry for name, entry in budgets.items() if name in {*names, YARDSTICK}}
    rows = budget.compare(budgets, found)
    print(budget.table(rows, found[YARDSTICK], budgets.get(YARDSTICK, {}).get("instructions")))
    faults = [row.name for row in rows if row.fault]
    verdict = f"FAILED: {', '.join(faults)}" if faults else "ok"
    print(f"perf: {verdict} ({time.monotonic() - began:.0f} s)")
    return 1 if faults else 0


def callgrind(name: str) -> None:
    with tempfile.TemporaryDirectory(prefix="ccr-perf-") as folder:
        valgrind.count(Path(folder), [name])
        kept = BENCH / "results" / f"callgrind.{name}"
        kept.parent.mkdir(exist_ok=True)
        shutil.copy(valgrind.dump_of(Path(folder), name), kept)
    shown = subprocess.run(["callgrind_annotate", kept], capture_output=True, text=True, check=True).stdout
    rows = [line for line in shown.splitlines() if "%)" in line]
    requests = 2 * workloads()[name].requests
    print(
        f"instructions of {requests} requests and of their end; the whole in {kept.relative_to(BENCH.parent)}"
    )
    print("\n".join(FOLDERS.sub("", line)[:120] for line in rows[: TOP + 1]))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="WORKLOAD", help=", ".join(workloads()))
    parser.add_argument("--update", action="store_true", help="write bench/budgets.toml")
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--rounds", type=int, default=7, help="of --time")
    parser.add_argument("--profile", metavar="WORKLOAD", choices=list(workloads()))
    parser.add_argument("--seconds", type=float, default=8.0, help="of --profile and --flame")
    parser.add_argument("--flame", metavar="FOLDER", type=Path, help="flame graphs of the workloads named")
    parser.add_argument("--callgrind", metavar="WORKLOAD", choices=list(workloads()))
    options = parser.parse_args()
    if unknown := set(options.names) - set(workloads()):
        parser.error(f"no workload {', '.join(sorted(unknown))}; there are {', '.join(workloads())}")
    if options.update and options.names:
        parser.error("--update is for all workloads at once")
    if options.time or options.profile or options.flame:
        from bench.perf import timing  # imports the gateway

        timing.run(options.names, options.rounds, options.profile, options.seconds, options.flame)
        return 0
    if options.callgrind:
        callgrind(options.callgrind)
        return 0
    return check(options.names, update=options.update)


if __name__ == "__main__":
    sys.exit(main())
