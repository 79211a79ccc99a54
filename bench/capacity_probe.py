"""Measures those constants of capacity.toml that `make bench` and `make load` do not.

    python bench/capacity_probe.py sessions   CPU of a turn and memory, by how many sessions of 120 kB one worker serves in turn
    python bench/capacity_probe.py burst      memory when 500 requests of 120 kB come at once, and before
    python bench/capacity_probe.py steady     CPU and waiting at so many new streams a second

A few minutes in all; a gateway and a provider of their own, on loopback. Linux, gcc.
"""

from __future__ import annotations

import contextlib
import http.client
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import bodies
import gateways
import procfs
from cases import SLOW, Case
from gateways import Gateway
from measure import Bench

SESSIONS = (40, 100, 200, 300, 450, 700)
CROWD = 500
RATES = (10, 80, 150, 200, 250, 300)
SECONDS = 10
PATHS = ("translate", "relay")
NONCE = bodies.NONCE.encode()
CROWD_WORD = SLOW[0].word


class Client:
    """One connection, one request at a time; the sessions have no text in common."""

    def __init__(self, gateway: Gateway, sessions: int) -> None:
        self.door = gateway.doors["translate"]
        lines = bodies.headers(content_type="application/json", **self.door.headers).decode().splitlines()
        self.headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
        }
        before, _, self.after = bodies.big(self.door.model, streamed=False, cold=True).rpartition(NONCE)
        self.histories = [before.replace(NONCE, b"session%09d" % number) for number in range(sessions)]
        self.connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
        self.turns = 0

    def ask(self, session: int) -> None:
        self.turns += 1
        body = self.histories[session] + b"turn%012d" % self.turns + self.after
        self.connection.request("POST", self.door.path, body, self.headers)
        response = self.connection.getresponse()
        said = response.read()
        if response.status != 200:
            raise SystemExit(f"{response.status}: {said[:300]!r}")


def sessions(home: Path, upstream: Gateway) -> None:
    draw = random.Random(1)
    for count in SESSIONS:
        with gateways.ours(home / f"sessions{count}", upstream.port) as gateway:
            client = Client(gateway, count)
            first = cpu_ms(gateway, client, range(count))
            order = [draw.randrange(count) for _ in range(600)]
            later = cpu_ms(gateway, client, order)
            memory = procfs.memory_mb(gateway.pid)
            print(
                f"{count} sessions: first turns {first:.2f} ms, later ones {later:.2f} ms, {memory:.0f} MB",
                flush=True,
            )


def cpu_ms(gateway: Gateway, client: Client, order: Sequence[int]) -> float:
    """CPU of one turn, when these sessions ask in this order."""
    before = procfs.cpu_seconds(gateway.pid)
    for session in order:
        client.ask(session)
    return (procfs.cpu_seconds(gateway.pid) - before) * 1000 / len(order)


def crowded(home: Path, door: gateways.Door, size: str) -> None:
    """Leave the body of a slow stream where the bench looks for it: its big ones know no slow streams."""
    kind = Case("", size, streamed=True, word=CROWD_WORD)
    path = bodies.build(home, door.model, size, streamed=True, word=kind.word)
    body = path.read_bytes()
    if CROWD_WORD.encode() not in body:
        path.write_bytes(body.replace(NONCE, CROWD_WORD.encode() + b" " + NONCE))


def burst(home: Path, upstream: Gateway) -> None:
    for path in PATHS:
        for size, kb in (("small", 1), ("big", 120)):
            bench = Bench(home, upstream, 1.0)
            with gateways.ours(home / f"burst-{path}-{size}", upstream.port) as gateway:
                time.sleep(1)
                fresh = [procfs.memory_mb(pid) for pid in procfs.tree(gateway.pid)]
                whole, parent = procfs.memory_mb(gateway.pid), pss(gateway.pid)
                bench.call(gateway, Case(path, size, streamed=True), ["-c", 16, "-n", 300])
                crowded(home, gateway.doors[path], size)
                before, peak = procfs.memory_mb(gateway.pid), [0.0]
                bench.call(
                    gateway,
                    Case(path, size, streamed=True, word=CROWD_WORD),
                    ["-c", CROWD, "-n", CROWD, "-g", 60, "-s", 60],
                    lambda peak=peak, pid=gateway.pid: peak.append(procfs.memory_mb(pid)),
                )
                grown = (max(peak) - before) * 1024 / CROWD
                print(
                    f"{path} {kb} kB: parent {parent:.0f} MB, {len(fresh) - 1} worker fresh {whole - parent:.0f} MB; "
                    f"{grown:.0f} kB for each of {CROWD} at once",
                    *bench.faults.values(),
                    flush=True,
                )


def pss(pid: int) -> float:
    """MB of one process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def steady(home: Path, upstream: Gateway) -> None:
    """The middle of the time in which all streams are open counts, not how they begin and end."""
    for rate in RATES:
        bench = Bench(home, upstream, 1.0)
        with gateways.ours(home / f"steady{rate}", upstream.port) as gateway:
            bench.call(gateway, Case("translate", streamed=True), ["-c", 16, "-n", 300])
            seen: list[tuple[float, float]] = []
            found = bench.call(
                gateway,
                Case("translate", streamed=True, word=CROWD_WORD),
                ["-c", 10 * rate + 100, "-r", rate, "-s", SECONDS],
                lambda seen=seen, pid=gateway.pid: seen.append((time.monotonic(), procfs.cpu_seconds(pid))),
            )
            full = [(at, spent) for at, spent in seen if seen[0][0] + 6 < at < seen[0][0] + SECONDS]
            cores = (full[-1][1] - full[0][1]) / (full[-1][0] - full[0][0])
            print(
                f"{rate}/s: {cores:.2f} cores, TTFT p50 {found['ttft_p50'] / 1e3:.1f} ms, "
                f"p99 {found['ttft_p99'] / 1e3:.0f} ms",
                *bench.faults.values(),
                flush=True,
            )


def main() -> int:
    kinds = {"sessions": sessions, "burst": burst, "steady": steady}
    chosen = sys.argv[1:] or list(kinds)
    if not set(chosen) <= set(kinds):
        print(__doc__, file=sys.stderr)
        return 2
    gateways.compile_programs()
    for name in chosen:
        with contextlib.ExitStack() as stack:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ccr-capacity-")))
            kinds[name](home, stack.enter_context(gateways.mock(0)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
