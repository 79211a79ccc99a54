"""The crowd, in a process of its own: many streams at once over plain sockets, each timed and read to its end.

    python -m tests.support.load.crowd PLAN        PLAN: a file with a Plan as JSON; prints what came of it as JSON

A stream is served when its reply is complete, refused when it is the clean 529 of the Messages API with a Retry-After, and
everything else is an error. Times are in seconds, from the first packet to the gateway on.
"""

from __future__ import annotations

import asyncio
import contextlib
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import msgspec
import uvloop
from attrs import define, field

__all__ = ["Crowd", "Plan", "files_allowed", "quantile"]

_DIALS = 1_000
"""Connections that are being opened at once: below the kernel's accept queue (somaxconn), which is not what is measured."""
_FIRST = b"event: content_block_delta"
_LAST = b"END-OF-REPLY"
_END = b"0\r\n\r\n"


class Plan(msgspec.Struct):
    """``streams`` at once; once all have begun, ``surplus`` more, one every ``gap`` seconds. Over after ``limit`` seconds."""

    port: int
    models: list[str]
    streams: int
    surplus: int = 0
    gap: float = 0.02
    limit: float = 120.0


class Crowd(msgspec.Struct):
    """What came of it. ``first``, ``refusals``: seconds of each served or refused stream, in order of their size."""

    served: int = 0
    refused: int = 0
    errors: list[str] = []
    first: list[float] = []
    refusals: list[float] = []
    at: float = 0.0
    """When it began, on the clock that all processes of a machine share (``time.monotonic``)."""
    began: float = 0.0
    """Until the last of the first wave had its first text, or its refusal."""
    first_end: float = 0.0
    """Until the first stream was complete: who had not begun by then had been made to wait for a place."""
    ended: float = 0.0


def quantile(sizes: Sequence[float], share: float) -> float:
    """The value below which ``share`` of them lie; 0.0 of nothing."""
    return sizes[min(len(sizes) - 1, int(share * len(sizes)))] if sizes else 0.0


def files_allowed(wanted: int) -> int:
    """Raise this process's limit of descriptors to ``wanted`` if the system lets us; the limit that is then in force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        best = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (best, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@define(eq=False)
class _Stream(asyncio.Protocol):
    """One request on one connection."""

    request: bytes
    done: asyncio.Future[None]
    began: float = field(factory=time.monotonic)
    first: float | None = None
    ended: float | None = None
    data: bytearray = field(factory=bytearray)
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.data += data
        if self.first is None and _FIRST in self.data:
            self.first = time.monotonic() - self.began
        if self.data.endswith(_END) or self._is_whole():
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._end()

    def _is_whole(self) -> bool:
        """Of a reply with a length."""
        if self.first is not None:
            return False
        head, blank, body = bytes(self.data).partition(b"\r\n\r\n")
        _, named, rest = head.lower().partition(b"\r\ncontent-length:")
        return bool(blank and named) and len(body) >= int(rest.split(b"\r\n")[0])

    def _end(self) -> None:
        if self.ended is None:
            self.ended = time.monotonic() - self.began
            if self.transport is not None:
                self.transport.close()
            if not self.done.done():
                self.done.set_result(None)

    def verdict(self) -> str:
        """``served``, ``refused``, or what is wrong."""
        head, _, body = bytes(self.data).partition(b"\r\n\r\n")
        status = head[9:12]
        if status == b"200":
            whole = _LAST in body and b"event: message_stop" in body and b"event: error" not in body
            return "served" if whole and self.data.endswith(_END) else f"cut: {body[-200:]!r}"
        if status == b"529":
            after = b"\r\nretry-after: " in head.lower()
            return "refused" if after and b'"overloaded_error"' in body else f"not a clean 529: {self.data!r}"
        return f"{head[:40]!r} {body[:200]!r}" if head else "closed without an answer"


@define(eq=False)
class _Run:
    plan: Plan
    streams: list[_Stream] = field(factory=list)
    faults: list[str] = field(factory=list)
    dials: asyncio.Semaphore = field(factory=lambda: asyncio.Semaphore(_DIALS))

    async def one(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        model = self.plan.models[number % len(self.plan.models)]
        body = msgspec.json.encode(
            {
                "model": model,
                "max_tokens": 1000,
                "stream": True,
                "messages": [{"role": "user", "content": f"number {number}"}],
            }
        )
        head = (
            f"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1:{self.plan.port}\r\ncontent-type: application/json\r\n"
            f"x-claude-code-session-id: crowd-{number}\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        async with self.dials:
            stream = _Stream(head.encode() + body, loop.create_future())
            self.streams.append(stream)
            try:
                await loop.create_connection(lambda: stream, "127.0.0.1", self.plan.port)
            except OSError as error:
                self.faults.append(f"cannot connect: {error}")
                stream.done.set_result(None)
                self.streams.remove(stream)
        await stream.done

    async def run(self) -> Crowd:
        plan, began = self.plan, time.monotonic()
        tasks = [asyncio.ensure_future(self.one(number)) for number in range(plan.streams)]
        try:
            async with asyncio.timeout(plan.limit):
                while len(self.streams) + len(self.faults) < plan.streams or not all(
                    map(_begun, self.streams)
                ):
                    await asyncio.sleep(0.01)
                started = max((one.first or one.ended or 0.0) + one.began - began for one in self.streams)
                for number in range(plan.streams, plan.streams + plan.surplus):
                    tasks.append(asyncio.ensure_future(self.one(number)))
                    await asyncio.sleep(plan.gap)
                await asyncio.wait(tasks)
        except TimeoutError:
            started = plan.limit
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        return self._told(began, started, time.monotonic() - began)

    def _told(self, at: float, started: float, ended: float) -> Crowd:
        verdicts = [(stream.verdict(), stream) for stream in self.streams]
        ends = [one.began + (one.ended or 0.0) - at for said, one in verdicts if said == "served"]
        return Crowd(
            at=at,
            first_end=min(ends, default=0.0),
            served=sum(said == "served" for said, _ in verdicts),
            refused=sum(said == "refused" for said, _ in verdicts),
            errors=[*self.faults, *(said for said, _ in verdicts if said not in {"served", "refused"})],
            first=sorted(one.first or 0.0 for said, one in verdicts if said == "served"),
            refusals=sorted(one.ended or 0.0 for said, one in verdicts if said == "refused"),
            began=started,
            ended=ended,
        )


def _begun(stream: _Stream) -> bool:
    return stream.first is not None or stream.ended is not None


def main(path: str) -> int:
    """Run the plan in a file."""
    plan = msgspec.json.decode(Path(path).read_bytes(), type=Plan)
    files_allowed(plan.streams + plan.surplus + 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        crowd = runner.run(_Run(plan).run())
    sys.stdout.buffer.write(msgspec.json.encode(crowd) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
