"""One service a home and one a port: lock, pid file, and who owns a port.

The lock is what counts: the kernel drops it with its holder, so it is never stale. The pid file is written for people
and for the ancestor's tools, and is believed only as far as the lock confirms it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
import sys
from pathlib import Path

from attrs import define, field, frozen

__all__ = [
    "Lock",
    "PortOwner",
    "PortTakenError",
    "check_port",
    "claim_port",
    "free_port",
    "port_owner",
    "runs",
]

_LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp."""


class PortTakenError(Exception):
    """Somebody else listens there."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"port {port} of {host} is taken")
        self.host = host
        self.port = port


@frozen
class PortOwner:
    """Who listens on a port; ``pid`` 0 and an empty ``command`` = somebody whose process we may not look at."""

    pid: int = 0
    command: str = ""

    def __str__(self) -> str:
        return f"{self.command or 'a process'} (pid {self.pid})" if self.pid else "a process of another user"


@define(eq=False)
class Lock:
    """An advisory lock on a file, held until :meth:`release` or the end of the process.

    The file holds the pid of the one who locked it last; :attr:`holder` tells whether that one still lives.
    """

    path: Path
    _file: int | None = field(default=None, repr=False)

    @classmethod
    def held(cls, path: Path, descriptor: int) -> Lock:
        """Return the lock that this process holds already, by its descriptor."""
        made = cls(path)
        made._file = descriptor
        return made

    @property
    def descriptor(self) -> int:
        """What holds it. Raises RuntimeError when nothing does."""
        if self._file is None:
            raise RuntimeError("the lock is not held")
        return self._file

    def acquire(self) -> bool:
        """Take it; False when another process has it. Raises OSError where the file cannot be made."""
        handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        except OSError:
            os.close(handle)
            raise
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        self._file = handle
        return True

    def release(self) -> None:
        """Let it go; the file stays, for removing it would race with the next one who locks."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None

    @property
    def holder(self) -> int | None:
        """Pid of the living holder, 0 when it has not said its pid yet, None when nobody holds it."""
        try:
            handle = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            text = os.pread(handle, 20, 0).decode("ascii", "replace").strip()
            return int(text) if text.isdigit() else 0
        else:
            return None
        finally:
            os.close(handle)


def check_port(host: str, port: int) -> None:
    """See whether we could listen there.

    Raises:
        PortTakenError: somebody listens.
        OSError: the address is not ours, or the port needs rights that we lack.
    """
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            # Without SO_REUSEPORT, which the server sets: two servers with it would share the port in silence.
            probe.bind(address)
            probe.listen(1)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise PortTakenError(host, port) from error
            raise


def claim_port(port: int) -> socket.socket | None:
    """Hold the port among all ccr of this machine until the socket is closed; None when another one holds it.

    Closes the gap between the look at the port and the server's bind for two homes that start at once. An abstract
    Unix socket is exclusive and never stale; where there are none (macOS) the gap stays.
    """
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if sys.platform != "linux":
        return claim
    try:
        claim.bind(f"\0ccr-port-{port}")
    except OSError:
        claim.close()
        return None
    return claim


def free_port(host: str, after: int) -> int | None:
    """Return the next port after ``after`` on which we could listen, looking at the next hundred."""
    for port in range(after + 1, min(after + 101, 65536)):
        with contextlib.suppress(OSError, PortTakenError):
            check_port(host, port)
            return port
    return None


def port_owner(port: int) -> PortOwner | None:
    """Return who listens on the port, None when nobody does or the machine has no /proc."""
    inodes = _listening(port)
    if not inodes:
        return None
    links = {f"socket:[{inode}]" for inode in inodes}
    for entry in Path("/proc").glob("[0-9]*"):
        if _has_link(entry / "fd", links):
            return PortOwner(int(entry.name), _command(entry)[:120])
    return PortOwner()


def runs(pid: int, word: str) -> bool:
    """Whether ``word`` stands in the command line of that process; True where the machine has no /proc.

    A pid in a file may be one of another container that shares the directory with us.
    """
    if not Path("/proc/self/cmdline").exists():
        return True
    return word in _command(Path("/proc") / str(pid))


def _listening(port: int) -> set[str]:
    wanted = f":{port:04X}"
    inodes: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text("ascii").splitlines()[1:]:
                fields = line.split()
                if fields[1].endswith(wanted) and fields[3] == _LISTEN:
                    inodes.add(fields[9])
    return inodes


def _has_link(folder: Path, links: set[str]) -> bool:
    try:
        handles = list(folder.iterdir())
    except OSError:
        return False
    for handle in handles:
        with contextlib.suppress(OSError):
            if str(handle.readlink()) in links:
                return True
    return False


def _command(process: Path) -> str:
    try:
        words = process.joinpath("cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return b" ".join(words).decode("utf-8", "replace").strip()
