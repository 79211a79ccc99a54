"""One measurement: a case offered to a gateway, and what it cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import bodies
import gateways
import procfs
from cases import CONNECTIONS, EVENTS, PACED_STREAMS, Case
from figures import Figures
from gateways import Gateway


class Bench:
    """One run: files, seconds a measurement, and what was found.

    `grace`: seconds that a measurement waits for replies that are under way when its time is over.
    """

    def __init__(self, folder: Path, direct: Gateway, seconds: float, grace: float = 20) -> None:
        self.folder = folder
        self.grace = grace
        self.direct = direct
        self.seconds = seconds
        self.samples: dict[tuple[str, str], list[Figures]] = {}
        self.faults: dict[str, str] = {}

    def round(self, cases: Iterable[Case], others: Sequence[Gateway]) -> None:
        """Every case, by all in turns. The direct call knows no paths, and no crowds: those are of memory and patience."""
        done = set()
        for case in cases:
            if case.of_direct not in done and not case.crowd:
                done.add(case.of_direct)
                self.add("direct", case.of_direct, self.measure(self.direct, case))
            for gateway in others:
                if case.path in gateway.doors:
                    self.add(gateway.name, case.name, self.measure(gateway, case))

    def add(self, gateway: str, case: str, found: Figures) -> None:
        self.samples.setdefault((gateway, case), []).append(found)

    def measure(self, gateway: Gateway, case: Case) -> Figures:
        """Figures of one round; none if there was not a single complete reply."""
        started, seconds = time.monotonic(), self.seconds
        if case.crowd:
            found = self.crowd(gateway, case)
        elif case.rate:
            self.call(gateway, case, ["-c", 4, "-n", 20])
            lasting = max(seconds * 3, 0.5)
            found = self.loaded(gateway, case, ["-c", 1000, "-r", case.rate, "-s", lasting])
        elif case.paced:
            requests = PACED_STREAMS * (2 if seconds >= 1 else 1)
            found = self.loaded(gateway, case, ["-c", PACED_STREAMS, "-n", requests, "-s", 2, "-g", 15])
        else:
            found = self.closed(gateway, case, seconds)
        print(
            f"  {case.name}: {gateway.name} {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True
        )
        return found

    def closed(self, gateway: Gateway, case: Case, seconds: float) -> Figures:
        warm = self.call(gateway, case, ["-c", CONNECTIONS, "-n", 100, "-s", min(seconds, 0.3)])
        if not warm["replies"]:
            return {}
        if warm["rate"] > 100:  # quick enough for its caches to need more
            self.call(gateway, case, ["-c", CONNECTIONS, "-s", seconds / 4])
        found = self.loaded(gateway, case, ["-c", CONNECTIONS, "-s", seconds])
        alone = self.call(gateway, case, ["-c", 1, "-n", 150 if seconds >= 0.5 else 40, "-s", seconds])
        if alone["replies"]:
            found |= {"ttft_p50_ms": alone["ttft_p50"] / 1000, "ttft_p99_ms": alone["ttft_p99"] / 1000}
        return found

    def crowd(self, gateway: Gateway, case: Case) -> Figures:
        peak = [procfs.memory_mb(gateway.pid)] if gateway.pid else []

        def look() -> None:
            peak.append(procfs.memory_mb(gateway.pid))

        options = ["-c", case.crowd, "-n", case.crowd, "-g", 60, "-s", 60]
        found = self.loaded(gateway, case, options, look if gateway.pid else None)
        return found | ({"peak_mb": max(peak)} if peak and found else {})

    def call(
        self, gateway: Gateway, case: Case, options: list[Any], look: Callable[[], None] | None = None
    ) -> dict[str, Any]:
        """Send; what failed is kept as a fault of the gateway."""
        door = gateway.doors[case.path]
        body = bodies.build(
            self.folder,
            door.model,
            case.size,
            streamed=case.streamed,
            word=case.word,
            cold=case.cold,
            dialect=door.dialect,
        )
        headers = self.folder / "headers"
        headers.write_bytes(bodies.headers(**door.headers))
        marks, first = case.marks[door.dialect]
        given = [gateway.port, door.path, body, headers, marks, first]
        found = gateways.load([*given, "-g", self.grace, *options], 120, look)
        if found["errors"] or found["unfinished"]:
            said = found["fault"] or "too slow"
            counted = (
                f"{found['errors']} errors, {found['unfinished']} unfinished, {found['replies']} replies"
            )
            self.faults.setdefault(f"{gateway.name}: {case.name}", f"{said} ({counted})")
        return found

    def loaded(
        self, gateway: Gateway, case: Case, options: list[Any], look: Callable[[], None] | None = None
    ) -> Figures:
        pid = gateway.pid
        before = procfs.cpu_seconds(pid) if pid else 0.0
        found = self.call(gateway, case, options, look)
        if not found["replies"] or (pid and not procfs.alive(pid)):
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
        result: Figures = {
            "rate": found["rate"],
            "replies": found["replies"],
            "errors": found["errors"] + found["unfinished"],
        }
        if case.crowd or case.rate:
            result |= {"ttft_p50_ms": found["ttft_p50"] / 1000, "ttft_p99_ms": found["ttft_p99"] / 1000}
        if case.rate:
            result |= {"total_p50_ms": found["total_p50"] / 1000, "total_p99_ms": found["total_p99"] / 1000}
        if pid:
            result["cpu_ms"] = cpu_ms
            if case.events:
                result["cpu_us_per_event"] = cpu_ms * 1000 / case.events
        return result
