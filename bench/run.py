"""`make bench`: what a request costs through ccr, or any gateway put beside it, against a direct call.

    python bench/run.py [--quick] [--case PATTERN]... [--rounds N] [--gateway NAME=BASE_URL[,pid=N][,model=M]]... [--no-ours]

Everything is on loopback: `load` (C) -> gateway -> `mock` (C). All gateways are measured in one run, case by case in
turns, and the medians of the rounds are reported, because a machine's noise is greater than most differences. Another
gateway has to be running, its upstream set to the mock: give the mock a fixed port with `--mock-port`. `--case` takes
names with the shell's * and ?; `--list` shows them. Writes bench/results/latest.json. docs/explanation/performance.md
says what the figures mean.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cases
import gateways
import page
import procfs
import report
from figures import compared, medians
from gateways import Gateway
from measure import Bench
from targets import TWO


def imports(home: Path, times: int) -> dict[str, float]:
    python, ccr = sys.executable, str(gateways.CCR)
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "import ccr": [python, "-c", "import ccr"],
        "ccr --help": [ccr, "--help"],
        "ccr status": [ccr, "status"],
    }
    return {name: round(gateways.child_cpu_ms(command, home, times), 1) for name, command in commands.items()}


def machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_average": round(os.getloadavg()[0], 2),
    }


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round: does it work, roughly how fast"
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="PATTERN", help="only these; repeatable"
    )
    parser.add_argument("--list", action="store_true", help="the names of the cases")
    parser.add_argument("--rounds", type=int, default=0, help="default 3, with --quick 1")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="load per case and gateway: default 1, with --quick 0.25"
    )
    parser.add_argument(
        "--gateway", action="append", default=[], type=Gateway.parse, metavar="NAME=URL[,pid=N][,model=M]"
    )
    parser.add_argument("--mock-port", type=int, default=0, help="where other gateways expect their upstream")
    parser.add_argument("--no-ours", action="store_true", help="only the direct call and the given gateways")
    parser.add_argument("--no-workers", action="store_true", help="leave out two workers beside one")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into the documentation")
    parser.add_argument("--out", type=Path, default=gateways.HERE / "results/latest.json")
    return parser.parse_args()


def measured(
    bench: Bench, options: argparse.Namespace, chosen: tuple[cases.Case, ...], home: Path
) -> dict[str, Any]:
    """Start ours if wanted, measure everybody, and say what memory and commands cost."""
    rounds = options.rounds or (1 if options.quick else 3)
    others: list[Gateway] = list(options.gateway)
    costs: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        two: list[Gateway] = []
        if not options.no_ours:
            others.insert(0, stack.enter_context(gateways.ours(home / "one", bench.direct.port)))
            started = round(procfs.cpu_seconds(others[0].pid) * 1000, 1)
            costs = imports(home / "one", 3 if options.quick else 7) | {"ccr start until it answers": started}
        time.sleep(0.5)
        with_pid = [gateway for gateway in others if gateway.pid]
        memory = {gateway.name: {"fresh": round(procfs.memory_mb(gateway.pid), 1)} for gateway in with_pid}
        if not options.no_ours:
            memory[others[0].name]["worker"] = round(procfs.largest_mb(others[0].pid), 1)
        twice = (
            () if options.no_ours or options.no_workers else tuple(c for c in chosen if c in cases.WORKERS)
        )
        if twice:
            two = [stack.enter_context(gateways.ours(home / "two", bench.direct.port, workers=2, name=TWO))]
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
            for case in chosen:
                if not case.crowd:
                    bench.round([case], others + (two if case in twice else []))
        for gateway in with_pid:
            memory[gateway.name]["after load"] = round(procfs.memory_mb(gateway.pid), 1)
    crowds(bench, options, tuple(case for case in chosen if case.crowd), home, rounds)
    return {"memory_mb": memory, "cpu_ms_of_commands": costs, "rounds": rounds}


def crowds(
    bench: Bench, options: argparse.Namespace, chosen: tuple[cases.Case, ...], home: Path, rounds: int
) -> None:
    """Crowds meet a process of their own in every round, which has begun to work and no more: its memory is part of the answer."""
    for number in range(rounds if chosen else 0):
        with contextlib.ExitStack() as stack:
            others: list[Gateway] = list(options.gateway)
            if not options.no_ours:
                others.insert(
                    0, stack.enter_context(gateways.ours(home / f"crowd{number}", bench.direct.port))
                )
            for gateway in others:
                bench.call(gateway, cases.WARM, ["-c", 16, "-n", 200])
            bench.round(chosen, others)


def main() -> int:
    options = arguments()
    if options.list:
        print("\n".join(case.name for case in cases.ALL))
        return 0
    whole = not (options.case or options.quick or options.no_ours or options.no_workers)
    if options.write_docs and not whole:
        raise SystemExit("--write-docs is for a whole run")
    seconds = options.seconds or (0.25 if options.quick else 1.0)
    every = cases.ALL if not options.quick else tuple(c for c in cases.ALL if c.crowd <= cases.CROWDS[0])
    chosen = cases.select(cases.ALL if options.case else every, options.case)
    began = time.monotonic()
    load_before = machine()
    gateways.compile_programs()
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccr-bench-")))
        direct = stack.enter_context(gateways.mock(options.mock_port))
        bench = Bench(home, direct, seconds)
        found = measured(bench, options, chosen, home)
    results = medians(bench.samples)
    compared(results, ((case.name, case.of_direct) for case in chosen))
    document = {
        "machine": load_before,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "took_seconds": round(time.monotonic() - began),
        "seconds": seconds,
        "whole": whole,
        "results": results,
        **found,
        "faults": bench.faults,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(report.text(document, [case.name for case in chosen]))
    if options.write_docs:
        page.main()
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
