"""Every fault against a real gateway over real sockets, and the table of what came of it.

python -m tests.support.faulty.run
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from attrs import frozen

from tests.support.faulty.catalogue import CUT, EITHER, FAULTS, OK, Expectation, Fault
from tests.support.faulty.check import Seen, read_error, read_message, read_stream
from tests.support.faulty.scripts import SCRIPTS
from tests.support.faulty.server import FaultyProvider
from tests.support.gateway_process import GatewayProcess

__all__ = ["LIMITS", "MOST_SECONDS", "Aftermath", "Case", "Ran", "cases", "run", "serving", "verdict"]

KEY = "sk-canary-0123456789abcdef"
LIMITS = {"connectMs": 1000, "firstByteMs": 1200, "idleMs": 1200, "commitAfterMs": 500, "keepAliveMs": 300}
MOST_SECONDS = 8.0
"""First byte, then idle, then a second try of what may be tried again; with room for a busy machine."""
_AT_ONCE = 24
_TOOL = "tool:"


@frozen
class Case:
    """One request."""

    fault: Fault
    dialect: str
    stream: bool

    def __str__(self) -> str:
        return f"{self.fault.name}-{self.dialect}-{'stream' if self.stream else 'whole'}"

    @property
    def expected(self) -> Expectation:
        """What should come of it."""
        return self.fault.stream if self.stream else self.fault.whole


@frozen
class Aftermath:
    """The gateway afterwards: ``before`` and ``after`` are open descriptors of its worker."""

    active: int
    tasks: Mapping[str, int]
    before: int
    after: int
    healthy: Sequence[Seen]
    canary: int
    log: str


@frozen
class Ran:
    """Everything that was seen."""

    seen: Mapping[str, Seen]
    aftermath: Aftermath


def cases() -> list[Case]:
    """Return every fault in every dialect that it can happen in, streamed and not."""
    return [
        Case(fault, dialect, stream)
        for fault in FAULTS.values()
        for dialect in fault.dialects
        for stream in (True, False)
    ]


def verdict(case: Case, seen: Seen) -> list[str]:
    """Return what is wrong."""
    problems = list(seen.problems)
    if seen.seconds > MOST_SECONDS:
        problems.append(f"it took {seen.seconds:.1f} s")
    expected = case.expected
    if expected == OK or (expected == EITHER and seen.is_ok):
        if not seen.is_ok:
            problems.append(f"should have gone well: {seen.status} {seen.message[:200]!r}")
        if expected == OK:
            problems += _content(case.fault.text, seen)
    elif expected == CUT:
        if seen.ended != "error":
            problems.append(f"should have been an error: {seen.status} {seen.ended} {seen.message[:100]!r}")
    elif expected != EITHER:
        late = case.stream and seen.status == 200 and seen.ended == "error"
        if seen.status not in expected and not late:
            problems.append(f"should have been {expected}: {seen.status} {seen.ended} {seen.message[:100]!r}")
    return problems


def _content(text: str, seen: Seen) -> list[str]:
    if text.startswith(_TOOL):
        wanted = msgspec.json.decode(text.removeprefix(_TOOL))
        got = [msgspec.json.decode(tool) for tool in seen.tools]
        return [] if wanted in got else [f"the tool's input was {seen.tools}"]
    return [] if seen.text == text else [f"the text was {seen.text[:80]!r}"]


async def run(chosen: Sequence[Case], folder: Path) -> Ran:
    """Act all of them out."""
    async with FaultyProvider() as provider, serving(provider, folder) as gateway:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=_AT_ONCE)
        async with httpx.AsyncClient(
            base_url=gateway.base_url, timeout=60, limits=limits, trust_env=False
        ) as client:
            for _ in range(4):
                await _ask(client, "healthy", "openai_chat", stream=True)
            before = await _descriptors(client)
            gate = asyncio.Semaphore(_AT_ONCE)

            async def one(case: Case) -> Seen:
                async with gate:
                    return await _ask(client, case.fault.name, case.dialect, stream=case.stream)

            found = await asyncio.gather(*map(one, chosen))
            healthy = [await _ask(client, "healthy", list(SCRIPTS)[n % 4], stream=True) for n in range(12)]
            status: dict[str, Any] = {}
            for _ in range(50):
                status = (await client.get("/api/status")).json()
                held = status["runtime"]
                if not status["active_requests"] and held["connections"] == held["idle_connections"]:
                    break
                await asyncio.sleep(0.1)
            aftermath = Aftermath(
                status["active_requests"],
                status["runtime"],
                before,
                await _descriptors(client),
                healthy,
                provider.hits["/canary"],
                gateway.output
                + "".join(path.read_text("utf-8", "replace") for path in folder.rglob("*.log*")),
            )
        return Ran({str(case): seen for case, seen in zip(chosen, found, strict=True)}, aftermath)


@contextlib.asynccontextmanager
async def serving(
    provider: FaultyProvider, folder: Path, limits: Mapping[str, int] | None = None
) -> AsyncIterator[GatewayProcess]:
    """Run a gateway before that provider, which it knows by a name for each dialect (``at-gemini``)."""
    entries = [
        {
            "name": f"at-{dialect}",
            "api_base_url": provider.url(dialect),
            "api_key": KEY,
            "dialect": dialect,
            "models": list(FAULTS),
        }
        for dialect in SCRIPTS
    ]
    config = {
        "Providers": entries,
        "Router": {"default": "at-openai_chat,healthy"},
        "Timeouts": {**LIMITS, **(limits or {})},
        "Failover": {},
        "Limits": {"maxEventBytes": 1 << 20, "maxReplyBytes": 4 << 20},
    }
    gateway = GatewayProcess(folder, config)
    await asyncio.to_thread(gateway.start)
    try:
        yield gateway
    finally:
        await asyncio.to_thread(gateway.stop)


async def _descriptors(client: httpx.AsyncClient) -> int:
    pid = (await client.get("/api/status")).json()["pid"]
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


async def _ask(client: httpx.AsyncClient, model: str, dialect: str, *, stream: bool) -> Seen:
    """Ask as a client of the Messages API; what breaks on the way to us is a problem of the gateway's."""
    body = {
        "model": f"at-{dialect},{model}",
        "max_tokens": 64,
        "stream": stream,
        "messages": [{"role": "user", "content": "hi"}],
        "tools": [
            {
                "name": "Bash",
                "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
            }
        ],
    }
    seen, began = Seen(), time.monotonic()
    # One session for all: its failures open no circuit.
    headers = {"x-claude-code-session-id": "faults"}
    try:
        async with client.stream("POST", "/v1/messages", json=body, headers=headers) as reply:
            seen.status, seen.headers = reply.status_code, reply.headers
            data = await reply.aread()
    except httpx.HTTPError as error:
        seen.problems.append(f"the connection to the gateway broke: {error!r}")
        return seen
    finally:
        seen.seconds = time.monotonic() - began
    if seen.status != httpx.codes.OK:
        read_error(seen, data)
    elif stream:
        read_stream(seen, data)
    else:
        read_message(seen, data)
    return seen


def _table(ran: Ran, chosen: Sequence[Case]) -> int:
    wrong = 0
    for case in chosen:
        seen = ran.seen[str(case)]
        problems = verdict(case, seen)
        wrong += bool(problems)
        what = f"{seen.status} {seen.ended}"
        sys.stdout.write(f"{'FAIL' if problems else 'ok  '} {case!s:<58} {what:<10} {seen.seconds:5.2f} s\n")
        for problem in problems:
            sys.stdout.write(f"       {problem}\n")
    after = ran.aftermath
    sys.stdout.write(
        f"{len(FAULTS)} faults, {len(chosen)} requests, {wrong} not as they should be; afterwards {after.active} requests "
        f"open, descriptors {after.before} -> {after.after}, {after.tasks}, "
        f"{sum(seen.is_ok for seen in after.healthy)} of {len(after.healthy)} healthy streams well\n"
    )
    return wrong


def main(wanted: Sequence[str]) -> int:
    """Print the table; words choose faults whose names hold one of them."""
    chosen = [case for case in cases() if not wanted or any(word in str(case) for word in wanted)]
    with tempfile.TemporaryDirectory() as folder:
        return bool(_table(asyncio.run(run(chosen, Path(folder))), chosen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
