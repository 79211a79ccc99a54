"""The soak: traffic in rounds, and between two rounds a look at a gateway that has nothing to do."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field, frozen

from tests.support.faulty.catalogue import FAULTS
from tests.support.faulty.scripts import SCRIPTS
from tests.support.gateway_process import GatewayProcess
from tests.support.soak.slopes import Slope, slope_of
from tests.support.soak.traffic import KEY, Traffic
from tests.support.worker import Usage, status_of, usage_from

__all__ = ["Sample", "Soaked", "problems", "soak", "summary"]

ROOT = Path(__file__).resolve().parents[3]
_LIMITS = {"connectMs": 1000, "firstByteMs": 800, "idleMs": 800, "commitAfterMs": 300, "keepAliveMs": 200}
_WARM = 0.4
"""The share of the time after which memos, rings, pools and the allocator are full."""
_ROUNDS = 24
_REST = 15.0
_PLAY = 5
"""Descriptors and tasks that may be more or fewer than at the start (P19)."""
_BYTES_A_REQUEST = 400.0
"""What the memory of a gateway at rest may grow by. P19's megabyte an hour is a few bytes a request, which nobody can see in
minutes: the allocator's own unrest is a megabyte or two. The smallest thing that can leak with a request (a task, a
connection, a record) is several times this bound.
"""


@frozen
class Sample:
    """The gateway at rest, after so many requests and seconds."""

    requests: int
    seconds: float
    usage: Usage


@define
class Soaked:
    """What was seen; ``samples`` begin after the warm-up."""

    seed: int
    start: Usage
    samples: list[Sample] = field(factory=list)
    counts: Counter[str] = field(factory=Counter)
    requests: int = 0
    seconds: float = 0.0
    held: list[str] = field(factory=list)
    """Rounds after which something had not come back in time."""

    def memory(self) -> Slope:
        """Bytes of memory a request."""
        return slope_of([(one.requests, one.usage.rss_mb * 1_048_576) for one in self.samples])

    def per_hour(self, what: Callable[[Usage], float]) -> Slope:
        """Of one figure, an hour."""
        return slope_of([(one.seconds / 3600, what(one.usage)) for one in self.samples])


def own_files(usage: Usage) -> int:
    """Descriptors but those of the pool's idle connections, which come and go with the traffic."""
    return usage.files - usage.idle


def problems(soaked: Soaked) -> list[str]:
    """What a soak may not show."""
    last = soaked.samples[-1].usage
    wrong = [
        f"{soaked.counts[name]} x {name}"
        for name in ("HUNG", "BROKEN", "INTERNAL FAULTS")
        if soaked.counts[name]
    ]
    wrong += soaked.held
    if abs(last.tasks - soaked.start.tasks) > _PLAY:
        wrong.append(f"tasks {soaked.start.tasks} -> {last.tasks}")
    if abs(own_files(last) - own_files(soaked.start)) > _PLAY:
        wrong.append(f"descriptors {own_files(soaked.start)} -> {own_files(last)}")
    grown = soaked.memory()
    if grown.low > 0 and grown.middle > _BYTES_A_REQUEST:
        wrong.append(
            f"memory grows by {grown.middle:.0f} bytes a request ({grown.low:.0f} to {grown.high:.0f})"
        )
    return wrong


def soak(minutes: float, seed: int, folder: Path, say: Callable[[str], None]) -> Soaked:
    """Run it."""
    with _provider() as port, GatewayProcess(folder / "home", _config(port)) as gateway:
        soaked = asyncio.run(_soak(gateway, minutes * 60, seed, say))
        soaked.counts["INTERNAL FAULTS"] = _internal(gateway)
        return soaked


def _internal(gateway: GatewayProcess) -> int:
    """Lines of the log about faults of the gateway's own."""
    return sum(
        b'"outcome":"internal"' in line or b'"level":"error"' in line
        for path in (gateway.home / "logs").glob("*.log*")
        for line in path.read_bytes().splitlines()
    )


async def _soak(gateway: GatewayProcess, seconds: float, seed: int, say: Callable[[str], None]) -> Soaked:
    traffic, began = Traffic(gateway.port, seed), time.monotonic()
    await traffic.run(2)
    soaked = Soaked(seed, await _at_rest(gateway, []))
    warm = seconds * _WARM
    while (passed := time.monotonic() - began) < seconds:
        lasts = warm - passed if passed < warm else (seconds - warm) / _ROUNDS
        await traffic.run(max(1.0, lasts))
        usage = await _at_rest(gateway, soaked.held)
        sample = Sample(traffic.requests, time.monotonic() - began, usage)
        soaked.samples.append(sample)
        say(
            f"{sample.seconds:7.0f} s {sample.requests:8} requests  RSS {usage.rss_mb:7.1f} MB  files {own_files(usage):3} + "
            f"{usage.idle:3} idle  tasks {usage.tasks:3}"
        )
    soaked.counts, soaked.requests, soaked.seconds = (
        traffic.counts,
        traffic.requests,
        time.monotonic() - began,
    )
    return soaked


async def _at_rest(gateway: GatewayProcess, held: list[str]) -> Usage:
    """Wait until nothing is under way; say what still is after a while."""
    until = time.monotonic() + _REST
    while True:
        status = await asyncio.to_thread(status_of, gateway.port, KEY)
        left = _left(status)
        if not left or time.monotonic() > until:
            break
        await asyncio.sleep(0.1)
    held.extend(left)
    await asyncio.sleep(0.5)  # what was sent to those who left is freed, the log is written
    return usage_from(await asyncio.to_thread(status_of, gateway.port, KEY))


def _left(status: dict[str, Any]) -> list[str]:
    held = status["runtime"]
    left = [f"{status['active_requests']} requests still active"] if status["active_requests"] else []
    if held["connections"] != held["idle_connections"]:
        left.append(f"{held['connections'] - held['idle_connections']} connections not given back")
    left += [f"{line['target']} still in flight" for line in status["health"] if line["in_flight"]]
    return left


def _config(provider: int) -> dict[str, Any]:
    origin = f"http://127.0.0.1:{provider}"
    paths = {
        "openai_chat": "/v1/chat/completions",
        "anthropic": "/v1/messages",
        "openai_responses": "/v1/responses",
        "gemini": "/v1beta/models/",
    }
    providers = [
        {
            "name": f"at-{dialect}",
            "dialect": dialect,
            "api_base_url": origin + paths[dialect],
            "api_key": [f"sk-{dialect}-one", f"sk-{dialect}-two"],
            "models": list(FAULTS),
        }
        for dialect in SCRIPTS
    ]
    return {
        "APIKEY": KEY,
        "Providers": providers,
        "Router": {
            "default": [
                "at-openai_chat,status-500",
                "at-anthropic,status-429",
                "at-gemini,healthy",
                "at-anthropic,healthy",
            ]
        },
        "Timeouts": _LIMITS,
        "Failover": {"breakerRestMs": 2000},
        # Memories that are full soon: what grows then is a leak.
        "Limits": {"maxEventBytes": 1 << 20, "maxReplyBytes": 4 << 20, "maxBodyBytes": 200_000, "memoMb": 1},
    }


@contextmanager
def _provider() -> Iterator[int]:
    command = [sys.executable, "-m", "tests.support.soak.provider"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.stdin.close()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()


def summary(soaked: Soaked) -> Iterator[str]:
    """Lines for people."""
    memory, files = soaked.memory(), soaked.per_hour(own_files)
    hourly, tasks = soaked.per_hour(lambda usage: usage.rss_mb), soaked.per_hour(lambda usage: usage.tasks)
    last = soaked.samples[-1].usage
    yield f"{soaked.requests} requests in {soaked.seconds:.0f} s, seed {soaked.seed}: {dict(sorted(soaked.counts.items()))}"
    yield f"memory: {memory.middle:+.0f} bytes a request ({memory.low:+.0f} to {memory.high:+.0f}), {hourly.middle:+.1f} MB an hour"
    yield f"descriptors: {own_files(soaked.start)} -> {own_files(last)}, {files.middle:+.1f} an hour"
    yield f"tasks: {soaked.start.tasks} -> {last.tasks}, {tasks.middle:+.1f} an hour"
