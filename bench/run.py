"""`make bench`: what a request costs through ccr, or any gateway put beside it, against a direct call.

    python bench/run.py [--quick] [--rounds N] [--gateway NAME=BASE_URL[,pid=N][,model=M]]... [--no-ours]

Everything is on loopback: `load` (C) -> gateway -> `mock` (C). All gateways are measured in one run, case by
case in turns, and the medians of the rounds are reported, because a machine's noise is greater than most
differences. Another gateway has to be running, its upstream set to the mock: give the mock a fixed port with
`--mock-port`. Writes bench/results/latest.json. docs/explanation/performance.md says what the figures mean.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bodies
import gateways
import procfs
import report
from gateways import Gateway

CONNECTIONS, EVENTS, PACED_STREAMS = 16, 64, 64
MODELS = {
    "relay": "ant,m1",
    "translate": "claude-sonnet-4-5",
    "relay paced": "antp,m1",
    "translate paced": "oaip,m1",
}


@dataclass(frozen=True)
class Case:
    """One kind of request. The path is relay (Anthropic to Anthropic) or translate (to OpenAI chat)."""

    path: str
    size: str
    streamed: bool
    paced: bool = False

    @property
    def name(self) -> str:
        return f"{self.path} {self.size}{' stream' if self.streamed else ''}{' paced' if self.paced else ''}"

    @property
    def of_direct(self) -> str:
        """A direct call knows no path."""
        return self.name.removeprefix(f"{self.path} ")


CASES = [
    *(
        Case(path, size, streamed)
        for path in ("relay", "translate")
        for size in ("small", "big")
        for streamed in (False, True)
    ),
    *(Case(path, "small", streamed=True, paced=True) for path in ("relay", "translate")),
]


class Bench:
    """One run: files, seconds a measurement, and what was found."""

    def __init__(self, folder: Path, direct: Gateway, seconds: float) -> None:
        self.folder = folder
        self.direct = direct
        self.seconds = seconds
        self.samples: dict[tuple[str, str], list[dict[str, float]]] = {}
        self.faults: dict[str, str] = {}
        self.headers = folder / "headers"
        self.headers.write_bytes(bodies.headers())

    def round(self, others: list[Gateway]) -> None:
        direct_done = set()
        for case in CASES:
            if case.of_direct not in direct_done:
                direct_done.add(case.of_direct)
                self.add("direct", case.of_direct, self.measure(self.direct, case))
            for gateway in others:
                self.add(gateway.name, case.name, self.measure(gateway, case))

    def add(self, gateway: str, case: str, found: dict[str, float]) -> None:
        self.samples.setdefault((gateway, case), []).append(found)

    def call(self, gateway: Gateway, case: Case, connections: int, requests: int) -> dict[str, Any]:
        model = gateway.model or MODELS[case.path + (" paced" if case.paced else "")]
        body = bodies.build(self.folder, model, case.size, streamed=case.streamed)
        path = "/paced/v1/messages" if case.paced and gateway is self.direct else "/v1/messages"
        marks = ("message_stop", "text_delta") if case.streamed else ("END-OF-REPLY", "")
        files = (body, self.headers)
        found = gateways.load(gateway, path, connections, requests, files, marks, 20 + self.seconds * 4)
        if found["errors"] or found["unfinished"]:
            self.faults.setdefault(f"{gateway.name}: {case.name}", found["fault"] or "too slow")
        return found

    def measure(self, gateway: Gateway, case: Case) -> dict[str, float]:
        if case.paced:
            return self.measured_load(
                gateway, case, PACED_STREAMS, PACED_STREAMS * (2 if self.seconds >= 1 else 1)
            )
        warm = self.call(gateway, case, CONNECTIONS, 100)
        if warm["replies"] == 0:
            return {}
        warm = self.call(gateway, case, CONNECTIONS, max(100, int(warm["rate"] * 0.1)))
        found = self.measured_load(gateway, case, CONNECTIONS, max(200, int(warm["rate"] * self.seconds)))
        alone = self.call(gateway, case, 1, 150 if self.seconds >= 1 else 60)
        return found | {"ttft_p50_ms": alone["ttft_p50"] / 1000, "ttft_p99_ms": alone["ttft_p99"] / 1000}

    def measured_load(
        self, gateway: Gateway, case: Case, connections: int, requests: int
    ) -> dict[str, float]:
        pid = gateway.pid
        before = procfs.cpu_seconds(pid) if pid else 0.0
        found = self.call(gateway, case, connections, requests)
        if not found["replies"]:
            return {}
        if case.paced and found["total_p50"] < EVENTS * 4000:
            self.faults.setdefault(f"{gateway.name}: {case.name}", "its upstream was not in slow motion")
            return {}
        if pid:
            time.sleep(0.05)
        spent = procfs.cpu_seconds(pid) - before if pid else 0.0
        if gateway is self.direct:
            spent += found["cpu_us"] / 1e6  # the yardstick: what sending and answering cost by themselves
        cpu_ms = spent * 1000 / found["replies"]
        result = {"rate": found["rate"], "errors": found["errors"]}
        if pid:
            result |= {"cpu_ms": cpu_ms} | (
                {"cpu_us_per_event": cpu_ms * 1000 / EVENTS} if case.paced else {}
            )
        return result

    def medians(self) -> dict[str, dict[str, dict[str, float]]]:
        found: dict[str, dict[str, dict[str, float]]] = {}
        for (gateway, case), samples in self.samples.items():
            full = [sample for sample in samples if sample]
            if full:
                keys = full[0].keys()
                found.setdefault(gateway, {})[case] = {
                    key: round(statistics.median(sample[key] for sample in full), 4) for key in keys
                }
        return found


def compared(results: dict[str, dict[str, dict[str, float]]]) -> None:
    """Add to every figure of a gateway what it is beside the direct call of the same run."""
    for gateway, cases in results.items():
        if gateway == "direct":
            continue
        for case in CASES:
            mine, base = cases.get(case.name), results["direct"].get(case.of_direct)
            if not mine or not base:
                continue
            mine["rate_of_direct"] = round(mine["rate"] / base["rate"], 4)
            if "cpu_ms" in mine:
                mine["cpu_of_direct"] = round(mine["cpu_ms"] / base["cpu_ms"], 2)
            if "ttft_p50_ms" in mine:
                mine["added_ttft_ms"] = round(mine["ttft_p50_ms"] - base["ttft_p50_ms"], 3)


def imports(home: Path, times: int) -> dict[str, float]:
    python, ccr = sys.executable, str(gateways.CCR)
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "import ccr": [python, "-c", "import ccr"],
        "ccr --help": [ccr, "--help"],
        "ccr status": [ccr, "status"],
    }
    return {name: round(gateways.child_cpu_ms(command, home, times), 1) for name, command in commands.items()}


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="one short round, 30 s: does it work, roughly how fast"
    )
    parser.add_argument("--rounds", type=int, default=0, help="default 3, with --quick 1")
    parser.add_argument(
        "--seconds", type=float, default=0.0, help="load per case and gateway: default 1, with --quick 0.25"
    )
    parser.add_argument(
        "--gateway", action="append", default=[], type=Gateway.parse, metavar="NAME=URL[,pid=N][,model=M]"
    )
    parser.add_argument("--mock-port", type=int, default=0, help="where other gateways expect their upstream")
    parser.add_argument("--no-ours", action="store_true", help="only the direct call and the given gateways")
    parser.add_argument("--out", type=Path, default=gateways.HERE / "results/latest.json")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    rounds = options.rounds or (1 if options.quick else 3)
    seconds = options.seconds or (0.25 if options.quick else 1.0)
    gateways.compile_programs()
    memory: dict[str, dict[str, float]] = {}
    with contextlib.ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccr-bench-")))
        direct = stack.enter_context(gateways.mock(options.mock_port))
        bench = Bench(home, direct, seconds)
        others: list[Gateway] = list(options.gateway)
        costs: dict[str, float] = {}
        if not options.no_ours:
            others.insert(0, stack.enter_context(gateways.ours(home, direct.port)))
            costs = imports(home, 3 if options.quick else 7)
        time.sleep(0.5)
        measured = [gateway for gateway in others if gateway.pid]
        memory = {gateway.name: {"fresh": round(procfs.memory_mb(gateway.pid), 1)} for gateway in measured}
        for number in range(rounds):
            print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
            bench.round(others)
        for gateway in measured:
            memory[gateway.name]["after load"] = round(procfs.memory_mb(gateway.pid), 1)
    results = bench.medians()
    compared(results)
    document = {
        "machine": {
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
        },
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rounds": rounds,
        "seconds": seconds,
        "results": results,
        "memory_mb": memory,
        "cpu_ms_of_commands": costs,
        "faults": bench.faults,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(report.text(document, [case.name for case in CASES]))
    return 1 if bench.faults else 0


if __name__ == "__main__":
    sys.exit(main())
