"""One step of the load: a fresh gateway, a paced provider, the crowd; and what the gateway needed meanwhile."""

from __future__ import annotations

import http.client
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import msgspec
from attrs import define, field, frozen

from tests.support.gateway_process import GatewayProcess
from tests.support.load.crowd import Crowd, Plan, files_allowed, quantile
from tests.support.worker import Usage, cpu_of, status_of, usage_from, usage_of

__all__ = ["Row", "Step", "paced_provider", "problems", "run", "table"]

ROOT = Path(__file__).resolve().parents[3]
MOCK = ROOT / "bench/mock.c"
_EVENTS = 24
_EVENTS_A_SECOND = 3_000
"""Of all streams together: well below what a worker and this crowd can do on two cores that others use too."""
_LEAST_PACE = 0.25
_SETTLE = 20.0
_BEGIN_SECONDS = 2.0
"""P12: nobody waits longer for a place. Computing may take longer on a slow machine, and shows as the worker's CPU."""


@frozen
class Step:
    """``streams`` at once, then ``surplus`` one by one; ``most`` is ``Limits.maxInFlight``, None = as it is without a word."""

    streams: int
    surplus: int = 0
    most: int | None = None

    @property
    def pace(self) -> float:
        """Seconds between two events of one stream."""
        return max(_LEAST_PACE, min(self.streams, self.room) / _EVENTS_A_SECOND)

    @property
    def room(self) -> int:
        """How many are served at once."""
        return 2_000 if self.most is None else self.most


@define
class Row:
    """What came of a step. ``before``, ``after``: the gateway at rest; ``peak``: while it served most."""

    step: Step
    crowd: Crowd
    before: Usage
    peak: Usage
    after: Usage
    answers: list[tuple[float, float]] = field(factory=list)
    """Each ``/health`` and ``/api/status`` meanwhile: when it was asked, and the seconds until it had answered."""
    unanswered: int = 0
    cpu: float = 0.0
    """Seconds of the worker's CPU until all had begun."""

    def health(self, *, begun: bool) -> list[float]:
        """Seconds of the answers after all had begun, or of those before, in order of size."""
        start, since = self.crowd.at, self.crowd.at + self.crowd.began
        return sorted(took for at, took in self.answers if (at >= since if begun else start <= at < since))


def problems(row: Row) -> list[str]:
    """What should not be, whatever the machine."""
    step, crowd = row.step, row.crowd
    served = min(step.streams, step.room)
    wrong = [f"{len(crowd.errors)} errors, the first: {crowd.errors[0]}"] if crowd.errors else []
    if crowd.began > crowd.first_end > 0:
        wrong.append(f"some began only when others had ended: {crowd.began:.1f} s, {crowd.first_end:.1f} s")
    if step.streams <= step.room and crowd.began > max(_BEGIN_SECONDS, 2 * row.cpu):
        wrong.append(
            f"all had begun after {crowd.began:.1f} s only, of which the worker computed {row.cpu:.1f} s"
        )
    if crowd.served < served:
        wrong.append(f"{crowd.served} served of {served}")
    if crowd.served + crowd.refused != step.streams + step.surplus:
        wrong.append(
            f"{step.streams + step.surplus - crowd.served - crowd.refused} neither served nor refused"
        )
    if step.surplus and step.streams >= step.room and crowd.refused < step.surplus:
        wrong.append(f"{crowd.refused} refused of {step.surplus}")
    if row.unanswered:
        wrong.append(f"{row.unanswered} times no answer from /health or /api/status")
    if row.after.active or row.after.connections != row.after.idle:
        wrong.append(
            f"{row.after.active} requests and {row.after.connections - row.after.idle} connections left"
        )
    if abs(row.after.tasks - row.before.tasks) > 5:
        wrong.append(f"tasks {row.before.tasks} -> {row.after.tasks}")
    if row.after.files - row.after.idle > row.before.files - row.before.idle + 5:
        wrong.append(f"descriptors {row.before.files} -> {row.after.files}")
    return wrong


@contextmanager
def paced_provider(folder: Path) -> Iterator[int]:
    """The bench's mock in a process of its own; its port."""
    program = folder / "mock"
    gcc = shutil.which("gcc")
    assert gcc is not None
    subprocess.run([gcc, "-O2", "-o", program, MOCK], check=True)
    with subprocess.Popen([program, "0"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline())
        finally:
            process.kill()


def run(step: Step, provider: int, folder: Path) -> Row:
    """Start a gateway, send the crowd, look on."""
    files_allowed(2 * step.streams + 200)
    config = _config(step, provider)
    with GatewayProcess(folder / "home", config) as gateway:
        _warm(gateway, folder, config)
        before = _rest(gateway.port)
        with _Onlooker(gateway.port, before.pid) as onlooker:
            crowd = _crowd(gateway.port, step, folder, config)
        return Row(
            step, crowd, before, onlooker.peak, _rest(gateway.port), onlooker.answers, onlooker.unanswered,
            onlooker.cpu_between(crowd.at, crowd.at + crowd.began),
        )  # fmt: skip


def _config(step: Step, provider: int) -> dict[str, Any]:
    base = f"http://127.0.0.1:{provider}/paced/{int(step.pace * 1000)}x{_EVENTS}"
    key = {"api_key": "sk-of-the-crowd", "models": ["m1"]}
    return {
        "LOG": False,
        "Providers": [
            {
                "name": "relayed",
                "api_base_url": f"{base}/v1/messages",
                **key,
                "transformer": {"use": ["Anthropic"]},
            },
            {"name": "translated", "api_base_url": f"{base}/v1/chat/completions", **key},
        ],
        "Router": {"default": "relayed,m1"},
        **({} if step.most is None else {"Limits": {"maxInFlight": step.most}}),
    }


def _crowd(port: int, step: Step, folder: Path, config: dict[str, Any]) -> Crowd:
    models = [f"{provider['name']},m1" for provider in config["Providers"]]
    lasts = step.pace * _EVENTS
    plan = Plan(
        port, models, step.streams, step.surplus, min(0.02, lasts / 3 / max(1, step.surplus)), 60 + 4 * lasts
    )
    written = folder / "plan.json"
    written.write_bytes(msgspec.json.encode(plan))
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.load.crowd", str(written)],
        cwd=ROOT,
        capture_output=True,
        check=False,
        timeout=plan.limit + 60,
    )
    if done.returncode:
        raise RuntimeError(f"the crowd ended with {done.returncode}: {done.stderr[-2000:].decode()}")
    return msgspec.json.decode(done.stdout, type=Crowd)


def _warm(gateway: GatewayProcess, folder: Path, config: dict[str, Any]) -> None:
    _crowd(gateway.port, Step(4), folder, config)


def _rest(port: int) -> Usage:
    """The gateway when everything has come to an end, or after a while."""
    until = time.monotonic() + _SETTLE
    while True:
        usage = usage_of(port)
        if (not usage.active and usage.connections == usage.idle) or time.monotonic() > until:
            return usage
        time.sleep(0.1)


class _Onlooker:
    """Asks ``/health`` and ``/api/status`` five times a second, as a monitor would, and keeps the highest figures."""

    def __init__(self, port: int, pid: int) -> None:
        self.answers: list[tuple[float, float]] = []
        self.unanswered = 0
        self.peak = usage_of(port)
        self._spent: list[tuple[float, float]] = []
        self._port, self._pid = port, pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def cpu_between(self, start: float, end: float) -> float:
        """CPU seconds of the worker, as far as five looks a second tell."""
        before = [spent for at, spent in self._spent if at <= start]
        until = [spent for at, spent in self._spent if at >= end]
        return (
            (min(until, default=self._spent[-1][1]) - max(before, default=self._spent[0][1]))
            if self._spent
            else 0.0
        )

    def _look(self) -> None:
        looks = 0
        while not self._over.wait(0.2):
            began = time.monotonic()
            self._spent.append((began, cpu_of(self._pid)))
            try:
                connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
                connection.request("GET", "/health")
                well = connection.getresponse().status == 200
                connection.close()
                self.answers.append((began, time.monotonic() - began))
                began = time.monotonic()
                status = status_of(self._port)
                self.answers.append((began, time.monotonic() - began))
            except (OSError, http.client.HTTPException):
                self.unanswered += 1
                continue
            self.unanswered += not well
            looks += 1
            if looks % 5 == 0:  # the kernel holds the worker up while it counts its pages
                self.peak = self.peak.highest(usage_from(status))


def table(rows: list[Row]) -> Iterator[str]:
    """Lines for people; times in milliseconds."""
    yield (
        "   streams   room  served refused errors | first text p50    p95    p99    max | all begun  CPU | 529 p50    p99 |"
        " health at start p99    max, then p99    max | RSS MB  PSS  files | afterwards"
    )
    for row in rows:
        crowd, before, after, peak = row.crowd, row.before, row.after, row.peak
        name = f"{row.step.streams}+{row.step.surplus}" if row.step.surplus else str(row.step.streams)
        first, p95, p99, last = (_ms(crowd.first, share) for share in (0.5, 0.95, 0.99, 1.0))
        starting, then = row.health(begun=False), row.health(begun=True)
        yield (
            f"{name:>10} {row.step.room:>6} {crowd.served:>7} {crowd.refused:>7} {len(crowd.errors):>6} |"
            f" {first:>14} {p95:>6} {p99:>6} {last:>6} | {1000 * crowd.began:>9.0f} {1000 * row.cpu:>4.0f} |"
            f" {_ms(crowd.refusals, 0.5):>7} {_ms(crowd.refusals, 0.99):>6} |"
            f" {_ms(starting, 0.99):>19} {_ms(starting, 1.0):>6}, {_ms(then, 0.99):>8} {_ms(then, 1.0):>6} |"
            f" {peak.rss_mb:>6.0f} {peak.pss_mb:>4.0f} {peak.files:>6} |"
            f" files {before.files}->{after.files}, tasks {before.tasks}->{after.tasks},"
            f" connections {after.connections} ({after.idle} idle)"
        )


def _ms(seconds: list[float], share: float) -> str:
    return f"{1000 * quantile(seconds, share):.0f}" if seconds else "-"
