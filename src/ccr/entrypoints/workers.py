"""The parent's side of its workers: starting one, waiting for their end, ending them in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Sequence

from attrs import define

from ccr.adapters.system.processes import Adopted, Process, wait_a_little
from ccr.entrypoints.service import LISTENER_VARIABLE, SERVICE_VARIABLE, Service
from ccr.entrypoints.takeover import InheritedWorker

__all__ = ["Worker", "adopt", "ended", "kill", "spawn", "terminate"]

_SLICE = 0.2
"""Seconds that one wait in a thread takes: a thread that waits for ever would keep the parent from ending."""


@define(eq=False)
class Worker:
    """A process of ours and what we know of it. ``started``: monotonic seconds."""

    number: int
    process: Process
    started: float
    pipe: int
    """Our end of its standard input: closed when we end, however we end."""
    deaths: int = 0
    weighed: float = 0.0
    """When its memory was looked at last (monotonic seconds)."""

    @property
    def living(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def close(self) -> None:
        """Let go of a worker that has ended."""
        if self.pipe >= 0:
            os.close(self.pipe)
            self.pipe = -1

    def inherited(self, *, leaving: bool) -> InheritedWorker:
        """Say what the next program must know of it."""
        return InheritedWorker(self.number, self.process.pid, self.pipe, leaving)


def spawn(
    command: Sequence[str], service: Service, listener: socket.socket, number: int, deaths: int = 0
) -> Worker:
    """Start a worker that accepts from ``listener``."""
    inner, outer = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            stdin=inner,
            env={
                **os.environ,
                SERVICE_VARIABLE: service.to_environment(),
                LISTENER_VARIABLE: str(listener.fileno()),
                "CCR_WATCH_PARENT": "1",
            },
            pass_fds=(listener.fileno(),),
            # Ctrl-C goes to the terminal's whole group; the workers drain when we say so.
            process_group=0,
        )
    except BaseException:
        os.close(outer)
        raise
    finally:
        os.close(inner)
    return Worker(number, process, time.monotonic(), outer, deaths)


def adopt(inherited: InheritedWorker) -> Worker:
    """Take over a worker that the program before us had started."""
    return Worker(inherited.number, Adopted(inherited.pid), time.monotonic(), inherited.pipe)


def terminate(workers: Sequence[Worker]) -> None:
    """Tell them to end: the first time lets replies end, the second cuts them but closes what is open in order."""
    for worker in workers:
        if worker.living:
            with contextlib.suppress(ProcessLookupError):
                worker.process.terminate()


async def ended(workers: Sequence[Worker], seconds: float) -> None:
    """Wait until all have ended, ``seconds`` at most."""
    until = time.monotonic() + seconds
    for worker in workers:
        while time.monotonic() < until and worker.living:
            await asyncio.to_thread(wait_a_little, worker.process, _SLICE)


def kill(workers: Sequence[Worker]) -> None:
    """End what has not ended."""
    for worker in workers:
        if worker.living:
            worker.process.kill()
        worker.process.wait()
        worker.close()
