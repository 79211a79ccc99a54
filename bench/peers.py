"""`make peers`: ours beside other gateways in one run, in turns, medians of three rounds.

    python bench/peers.py [--quick] [--only NAME]... [--case PATTERN]... [--write-docs]

Installs what bench/contenders.py names below .cache/peers (once; npm and pip from the locks in bench/peers, nginx from
Debian's packages, unpacked and not installed), starts all with configurations that lead to our mock, and measures CPU a
request, time to first token and memory. A peer that cannot be installed or started, fails a case or dies is reported, and
the run goes on; what died is started again. Writes bench/results/peers.json and, with --write-docs, the tables in
docs/explanation/performance.md. Installing apart, it takes at most MINUTES (13): then fewer rounds are reported.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cases
import contenders
import gateways
import page
import procfs
import report
import tables
from contenders import Peer, Place
from figures import compared, medians
from gateways import Gateway
from measure import Bench
from run import machine

ROOT = Path(__file__).parents[1]
CACHE = ROOT / ".cache/peers"
MOST_DEATHS = 3
"""So often a peer is started again."""


class NotThereError(Exception):
    """A peer that cannot be installed or started; the message says why."""


def install(peer: Peer) -> Path:
    """Install it unless it is there already; where."""
    folder, source = CACHE / peer.folder, contenders.HERE / peer.folder
    stamp = folder / f".installed-{peer.version}"
    if stamp.exists():
        return folder
    print(f"installing {peer.name} {peer.version} ...", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if peer.kind == "npm":
        for name in ("package.json", "package-lock.json"):
            shutil.copy(source / name, folder)
        # Not `npm ci`: that insists on optional packages for other systems even if the registry has lost them.
        step(
            [
                "npm",
                "install",
                "--no-save",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel=error",
            ],
            folder,
        )
    elif peer.kind == "pip":
        step([sys.executable, "-m", "venv", folder], CACHE)
        lock = source / "requirements.txt"
        pip = [folder / "bin/python", "-m", "pip", "--disable-pip-version-check", "-qq", "install"]
        step([*pip, "--require-hashes", "--no-deps", "-r", lock], CACHE)
    else:
        step(["apt-get", "download", peer.folder], folder)
        step(["dpkg", "-x", next(folder.glob("*.deb")), folder], folder)
    stamp.touch()
    return folder


def step(command: list[Any], folder: Path) -> None:
    try:
        done = subprocess.run(
            list(map(str, command)), cwd=folder, capture_output=True, text=True, timeout=300, check=False
        )
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        raise NotThereError(f"{command[0]}: {error}") from error
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "failed").splitlines()[-1]
        raise NotThereError(f"{Path(str(command[0])).name}: {last[:200]}")


@dataclass
class Running:
    """A peer that is up, with what is known of its life."""

    peer: Peer
    place: Place
    process: subprocess.Popen[bytes] | None = None
    deaths: list[str] = field(default_factory=list)
    failed: set[str] = field(default_factory=set)
    fresh_mb: float = 0.0

    def start(self) -> Gateway:
        """Start it and wait until it answers. Raises NotThereError."""
        command = list(map(str, self.peer.command(self.place)))
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        variables = {**kept, "HOME": str(self.place.home), "NO_PROXY": "*", **self.peer.variables(self.place)}
        log = self.place.home / "output"
        with log.open("ab") as sink:
            self.process = subprocess.Popen(
                command,
                env=variables,
                cwd=self.place.home,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if not gateways.until(f"http://127.0.0.1:{self.place.port}/", 60, self.process):
            self.stop()
            raise NotThereError(f"did not start: {log.read_text(errors='replace')[-300:]}")
        return Gateway(self.peer.name, self.place.port, self.peer.doors, self.process.pid)

    def stop(self) -> None:
        if self.process is not None:
            gateways.end(self.process)

    @property
    def dead(self) -> bool:
        return self.process is None or self.process.poll() is not None


class Side:
    """Ours and all the peers of one run."""

    def __init__(self, bench: Bench, ours: Gateway) -> None:
        self.bench = bench
        self.ours = ours
        self.up: dict[str, tuple[Running, Gateway]] = {}
        self.absent: dict[str, str] = {}

    @contextlib.contextmanager
    def started(self, wanted: list[Peer], folder: Path, upstream: int) -> Iterator[None]:
        try:
            for peer in wanted:
                self.begin(peer, folder, upstream)
            yield
        finally:
            for running, _ in self.up.values():
                running.stop()

    def begin(self, peer: Peer, folder: Path, upstream: int) -> None:
        try:
            home = folder / peer.folder
            home.mkdir(parents=True)
            running = Running(peer, Place(home, install(peer), gateways.free_port(), upstream))
            self.up[peer.name] = (running, running.start())
        except NotThereError as error:
            self.absent[peer.name] = str(error)
            self.up.pop(peer.name, None)
            print(f"left out: {peer.name}: {error}", file=sys.stderr, flush=True)

    def fresh(self) -> None:
        for running, gateway in self.up.values():
            running.fresh_mb = round(procfs.memory_mb(gateway.pid), 1)

    def round(self, chosen: tuple[cases.Case, ...]) -> None:
        for case in chosen:
            self.bench.round([case], [self.ours])
            for name in list(self.up):
                self.one(name, case)

    def one(self, name: str, case: cases.Case) -> None:
        """Measure a peer. What it failed wholly it is not asked for again; what died is started again."""
        running, gateway = self.up[name]
        if case.path not in gateway.doors or case.name in running.failed or running.dead:
            return
        found = self.bench.measure(gateway, case)
        self.bench.add(name, case.name, found)
        if not found:
            running.failed.add(case.name)
        if running.dead and running.process is not None:
            running.deaths.append(f"died in {case.name} (exit code {running.process.returncode})")
            if len(running.deaths) < MOST_DEATHS:
                with contextlib.suppress(NotThereError):
                    self.up[name] = (running, running.start())

    def facts(self) -> dict[str, Any]:
        """What is known of each beside its figures."""
        found: dict[str, Any] = {}
        for name, (running, gateway) in self.up.items():
            peer = running.peer
            memory = {} if running.dead else {"after_mb": round(procfs.memory_mb(gateway.pid), 1)}
            found[name] = {
                "version": peer.version,
                "from": peer.kind,
                "language": peer.language,
                "floor": peer.floor,
                "counts": peer.counts,
                "caveats": peer.caveats,
                "deaths": running.deaths,
                "fresh_mb": running.fresh_mb,
                **memory,
            }
        return found


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument(
        "--only", action="append", default=[], metavar="NAME", help="only this peer; repeatable"
    )
    parser.add_argument(
        "--case", action="append", default=[], metavar="PATTERN", help="only these; repeatable"
    )
    parser.add_argument("--rounds", type=int, default=0, help="default 3, with --quick 1")
    parser.add_argument("--seconds", type=float, default=0.0, help="default 0.6, with --quick 0.25")
    parser.add_argument("--minutes", type=float, default=13.0, help="no round begins that would end later")
    parser.add_argument("--write-docs", action="store_true", help="put the tables into the documentation")
    parser.add_argument("--out", type=Path, default=gateways.HERE / "results/peers.json")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    whole = not (options.case or options.only or options.quick)
    if options.write_docs and not whole:
        raise SystemExit("--write-docs is for a whole run")
    rounds = options.rounds or (1 if options.quick else 3)
    seconds = options.seconds or (0.25 if options.quick else 0.6)
    chosen = cases.select(cases.PEERS, options.case)
    before = machine()
    gateways.compile_programs()
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="ccr-peers-", ignore_cleanup_errors=True))
        )
        direct = stack.enter_context(gateways.mock(0))
        bench = Bench(folder, direct, seconds, grace=8)
        ours = stack.enter_context(gateways.ours(folder / "ours", direct.port))
        side = Side(bench, ours)
        every = contenders.peers(direct.port)
        wanted = [peer for peer in every if not options.only or peer.name in options.only]
        stack.enter_context(side.started(wanted, folder, direct.port))
        time.sleep(1)
        side.fresh()
        ours_fresh = round(procfs.memory_mb(ours.pid), 1)
        began, done = time.monotonic(), 0
        for number in range(rounds):
            if done and (time.monotonic() - began) * (1 + 1 / done) > options.minutes * 60:
                break
            print(f"round {number + 1} of {rounds} ...", file=sys.stderr, flush=True)
            side.round(chosen)
            done += 1
        known = {
            "ccr": {"fresh_mb": ours_fresh, "after_mb": round(procfs.memory_mb(ours.pid), 1)},
            **side.facts(),
        }
    results = medians(bench.samples)
    compared(results, ((case.name, case.of_direct) for case in chosen))
    document = {
        "machine": before,
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "took_seconds": round(time.monotonic() - began),
        "rounds": done,
        "seconds": seconds,
        "whole": whole,
        "results": results,
        "gateways": known,
        "absent": side.absent | contenders.NOT_MEASURED,
        "faults": bench.faults,
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    print(report.text(document, [case.name for case in chosen]))
    print("\n" + tables.verdict(document))
    if options.write_docs:
        page.main()
    return 1 if any(where.startswith("ccr:") for where in bench.faults) else 0


if __name__ == "__main__":
    sys.exit(main())
