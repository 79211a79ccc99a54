"""Simulate from the command line: ``python -m tests.support.sim.run --seed 7`` or ``--seeds 200``."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter

from tests.support.sim.world import Report, run

__all__ = ["replay", "told"]


def replay(seed: int) -> str:
    """Return the command that shows a seed again."""
    return f"python -m tests.support.sim.run --seed {seed} --log"


def told(report: Report) -> str:
    """Say what was broken, and how to see it again."""
    return "\n".join(
        [f"seed {report.seed}:", *(f"  {line}" for line in report.problems), f"  {replay(report.seed)}"]
    )


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.sim.run")
    parser.add_argument("--seed", type=int, default=os.environ.get("CCR_SIM_SEED"), help="run this one only")
    parser.add_argument("--seeds", type=int, default=100, help="run so many")
    parser.add_argument("--first", type=int, default=None, help="from this one on; a fresh one otherwise")
    parser.add_argument("--log", action="store_true", help="print everything that happened")
    given = parser.parse_args()
    if given.seed is not None:
        return _one(int(given.seed), log=given.log)
    first = given.first if given.first is not None else time.time_ns() // 1_000_000 % 1_000_000_000
    return _many(first, given.seeds)


def _one(seed: int, *, log: bool) -> int:
    lines: list[str] = []
    report = run(seed, log=lines)
    if log:
        print("\n".join(lines))
    print(f"digest {report.digest}")
    print("  ".join(f"{name} {count}" for name, count in report.counts.items() if count))
    print(told(report) if report.problems else f"seed {seed}: nothing was broken")
    return 1 if report.problems else 0


def _many(first: int, count: int) -> int:
    began, sums, broken = time.monotonic(), Counter[str](), 0
    for seed in range(first, first + count):
        report = run(seed)
        sums.update(report.counts)
        if report.problems:
            broken += 1
            print(told(report), flush=True)
    took = time.monotonic() - began
    print(
        f"seeds {first} to {first + count - 1}: {broken} broken, {took:.0f} s, {sums['requests'] / took:.0f} requests/s"
    )
    print("  ".join(f"{name} {number}" for name, number in sums.items() if number))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
