"""Run test suites: each one's time, then everything that was skipped and why.

    python tools/run_suites.py unit integration client slow

The integration suite waits more than it works: its parts run beside each other, and beside the unit tests and the real
clients. What a part says is shown when it is done.

Exits non-zero if a suite failed, ran over its time, or (with CI=true) had no test at all. With CI=true or
COVERAGE=1 the in-process suites are measured, and `make check` uses that measurement while it is fresh.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".cache" / "suites"
CLIENTS = (Path("tests/integration/claude_code"), Path("tests/integration/other_clients"))
NO_TESTS = 5


@dataclass(frozen=True)
class Suite:
    """One call of pytest. `limit_s` is where a hanging suite is ended."""

    title: str
    arguments: list[str]
    limit_s: int
    measured: bool = False
    interpreter: list[str] = field(default_factory=list)
    client: bool = False
    lane: int = 0
    """Suites of one lane run one after the other, lanes run beside each other."""


PARTS = {
    "integration 1": (0, ("faults", "http", "load")),
    "integration 2": (2, ("cli", "embed", "wheel", "plugin_example", "compat", "bench", "fuzz")),
    "integration 3": (3, ("doors", "matrix", "ancestor", "sdk", "security", "upstream", "sim", "soak")),
}
"""The integration suite: its lane and folders, each part about as long as the others."""
SUITES = {
    "unit": Suite("unit", ["tests/unit"], 1800, measured=True, interpreter=["-X", "dev"], lane=1),
    **{
        name: Suite(
            name,
            [*(f"tests/integration/{folder}" for folder in folders), "-m", "not slow"],
            1800,
            measured=True,
            lane=lane,
        )
        for name, (lane, folders) in PARTS.items()
    },
    "client": Suite("real clients", [*map(str, CLIENTS), "-m", "not slow"], 1800, client=True, lane=1),
    "slow": Suite("slow", ["tests/integration", "-m", "slow"], 1500, client=True),
}


@dataclass
class Result:
    """What one suite came to."""

    suite: Suite
    code: int
    seconds: float
    passed: int = 0
    skips: Counter[str] = field(default_factory=Counter)


def folders() -> set[str]:
    """The integration suite as it lies on the disk, the real clients apart."""
    clients = {folder.name for folder in CLIENTS}
    return {path.parent.name for path in (ROOT / "tests" / "integration").glob("*/test_*.py")} - clients


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def measure() -> bool:
    return in_ci() or os.environ.get("COVERAGE") == "1"


def install_client() -> None:
    """Put the pinned real clients in place if npm is there; their tests say it when it is not."""
    if all(map(is_installed, CLIENTS)):
        return
    if shutil.which("npm") is None:
        print("real client: npm is not there, so it cannot be installed (Debian: apt-get install nodejs npm)")
        return
    print("real clients: installing the pinned versions with npm ci ...", flush=True)
    if subprocess.run(["make", "--no-print-directory", "client"], cwd=ROOT, check=False).returncode:
        print("real clients: npm ci failed (see above); their tests will be skipped")
        return
    for folder in CLIENTS:
        (ROOT / folder / "node_modules" / ".package-lock.json").touch()


def is_installed(folder: Path) -> bool:
    installed = ROOT / folder / "node_modules" / ".package-lock.json"
    lock = ROOT / folder / "package-lock.json"
    return installed.exists() and installed.stat().st_mtime >= lock.stat().st_mtime


@dataclass
class Lanes:
    """What runs now, so that it can be ended, and who may print."""

    running: set[subprocess.Popen[bytes]] = field(default_factory=set)
    speaker: threading.Lock = field(default_factory=threading.Lock)

    def run(self, names: list[str]) -> list[Result]:
        """Run every suite; the results in the order of the names."""
        found: dict[str, Result] = {}
        lanes: dict[int, list[str]] = {}
        for name in names:
            lanes.setdefault(SUITES[name].lane, []).append(name)

        def one(lane: list[str], *, quiet: bool) -> None:
            for name in lane:
                found[name] = run(name, self, quiet=quiet)

        # The first lane speaks as it goes, the others when a suite is done.
        first, *others = [lanes[lane] for lane in sorted(lanes)]
        threads = [threading.Thread(target=one, args=(lane,), kwargs={"quiet": True}) for lane in others]
        try:
            for thread in threads:
                thread.start()
            one(first, quiet=False)
            for thread in threads:
                thread.join()
        except KeyboardInterrupt:
            for process in list(self.running):
                end(process)
            raise
        return [found[name] for name in names]


def end(process: subprocess.Popen[bytes]) -> None:
    """End a suite and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(name: str, lanes: Lanes, *, quiet: bool) -> Result:
    suite = SUITES[name]
    report = WORK / f"{name}.xml"
    report.unlink(missing_ok=True)
    runner = ["-m", "pytest"]
    if suite.measured and measure():
        runner = ["-m", "coverage", "run", "-m", "pytest"]
    command = [
        sys.executable,
        *suite.interpreter,
        *runner,
        *suite.arguments,
        "-q",
        "-o",
        "console_output_style=count",
        "-rfE",
        f"--junitxml={report}",
    ]
    if not quiet:
        print(f"\n== {suite.title} ==", flush=True)
    started = time.monotonic()
    output = WORK / f"{name}.log"
    # A session of its own, so that ending a hung suite ends what it started too.
    with (
        output.open("wb") as said,
        subprocess.Popen(
            command,
            cwd=ROOT,
            start_new_session=True,
            stdout=said if quiet else None,
            stderr=said if quiet else None,
        ) as process,
    ):
        lanes.running.add(process)
        try:
            code = process.wait(timeout=suite.limit_s)
        except subprocess.TimeoutExpired:
            end(process)
            code = 124
        finally:
            lanes.running.discard(process)
    result = Result(suite, code, time.monotonic() - started)
    if quiet:
        with lanes.speaker:
            print(f"\n== {suite.title} ==\n{output.read_text('utf-8', 'replace')}", flush=True)
    if code == 124:
        print(f"{suite.title}: not done after {suite.limit_s} s, ended")
    if report.exists():
        read_report(report, result)
    return result


def read_report(report: Path, result: Result) -> None:
    for case in ET.parse(report).getroot().iter("testcase"):
        skipped = case.find("skipped")
        if skipped is not None:
            result.skips[skipped.get("message", "no reason given")] += 1
        elif case.find("failure") is None and case.find("error") is None:
            result.passed += 1


def verdict(result: Result) -> tuple[bool, str]:
    if result.code == 0:
        return True, "passed"
    if result.code == NO_TESTS:
        return not in_ci(), "no tests"
    return False, "ran out of time" if result.code == 124 else "FAILED"


def summarise(results: list[Result], seconds: float) -> int:
    print("\n== summary ==")
    good = True
    for result in results:
        fine, word = verdict(result)
        good = good and fine
        skipped = sum(result.skips.values())
        print(
            f"{result.suite.title:12} {word:15} {result.seconds:7.1f} s  {result.passed} passed, {skipped} skipped"
        )
    print(f"{'in all':12} {'':15} {seconds:7.1f} s")
    skips = [(result.suite.title, *skip) for result in results for skip in result.skips.most_common()]
    print("\nSkipped, and why:" if skips else "\nNothing was skipped.")
    for title, reason, count in skips:
        print(f"  {title}: {count} x {reason}")
    return 0 if good else 1


def main(wanted: list[str]) -> int:
    names = [name for one in wanted for name in (PARTS if one == "integration" else (one,))]
    unknown = [name for name in names if name not in SUITES]
    if unknown or not names:
        print("usage: run_suites.py unit integration client slow", file=sys.stderr)
        return 2
    forgotten = folders() - {folder for _, part in PARTS.values() for folder in part}
    if forgotten:
        print(f"run_suites.py: no part has {', '.join(sorted(forgotten))}", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    if measure() and any(SUITES[name].measured for name in names):
        for old in ROOT.glob(".coverage*"):
            old.unlink()
        (WORK / "measured").unlink(missing_ok=True)
    if any(SUITES[name].client for name in names):
        install_client()
    started = time.monotonic()
    results = Lanes().run(names)
    if measure() and all(result.code == 0 for result in results if result.suite.measured):
        (WORK / "measured").write_text(" ".join(names))
    return summarise(results, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
