"""Child processes: those that we started, and those that this process had started before it became another program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Protocol

from attrs import define, field

__all__ = ["Adopted", "Process", "describe_exit", "resident", "wait_a_little"]

_POLL = 0.02


class Process(Protocol):
    """What the parent needs of :class:`subprocess.Popen`."""

    @property
    def pid(self) -> int:
        """Its number."""
        ...

    def poll(self) -> int | None:
        """Return the exit code, negative for a signal; None while it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, ``timeout`` seconds at most. Raises subprocess.TimeoutExpired."""
        ...

    def terminate(self) -> None:
        """Send SIGTERM."""
        ...

    def kill(self) -> None:
        """Send SIGKILL."""
        ...


@define(eq=False)
class Adopted:
    """A child of this process id from before ``exec``: the kernel knows it, our subprocess module does not."""

    pid: int
    _code: int | None = field(default=None, init=False)

    def poll(self) -> int | None:
        """See :class:`Process`. A child that somebody else has waited for counts as ended in order."""
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:
                self._code = 0
            else:
                if pid:
                    self._code = os.waitstatus_to_exitcode(status)
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """See :class:`Process`."""
        until = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if until is not None and time.monotonic() > until:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
            time.sleep(_POLL)
        return code

    def terminate(self) -> None:
        """See :class:`Process`."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """See :class:`Process`."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        # After its end the number may be another's.
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def describe_exit(code: int) -> str:
    """Say how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    with contextlib.suppress(ValueError):
        return f"signal {signal.Signals(-code).name}"
    return f"signal {-code}"


def resident(pid: int) -> int:
    """Return the bytes that a process holds in memory; 0 where the system does not say (no /proc)."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def wait_a_little(process: Process, seconds: float) -> None:
    """Wait for the end of a process, but not for long."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
