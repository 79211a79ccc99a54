"""The sockets that the service listens on. The parent holds them, the workers accept from them.

So nothing that a client sent is lost when a worker goes and another one comes: the kernel keeps it in the socket's queue.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

__all__ = ["close_all", "leave_queue", "limit_unread", "open_listeners"]


def open_listeners(host: str, port: int, count: int) -> list[socket.socket]:
    """Bind a socket for each worker; the workers make them listen.

    On Linux each has a queue of its own (SO_REUSEPORT), and the kernel spreads connections over them; elsewhere all
    workers share one socket, because other kernels give everything to the last.

    Raises:
        OSError: the address is taken, or not ours.
    """
    made: list[socket.socket] = []
    try:
        while len(made) < (count if sys.platform == "linux" else 1):
            made.append(_bound(host, port))
    except OSError:
        close_all(made)
        raise
    return made


def close_all(sockets: Sequence[socket.socket]) -> None:
    """Let go of them; a worker that still has one goes on accepting."""
    for one in sockets:
        one.close()


def leave_queue(descriptor: int) -> bool:
    """Take no more connections from the socket behind ``descriptor``, which other processes go on accepting from.

    The HTTP server has no way to stop accepting but to stop altogether, which closes connections that were accepted and have
    not sent a request yet. So another socket, which nobody can reach, is put in the place of this one, under every number that
    it has in this process. Returns False where that cannot be done: no Linux, where the numbers are known, or no descriptor left.
    """
    try:
        wanted = os.fstat(descriptor)
        numbers = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
        with socket.socket(socket.AF_UNIX) as nobody:
            nobody.bind("")  # a name of the kernel's choice, in no folder and on no network
            nobody.listen()
            nobody.setblocking(False)
            for number in numbers:
                if _is(number, wanted):
                    os.dup2(nobody.fileno(), number, inheritable=False)
    except OSError:
        return False
    return True


def _is(number: int, wanted: os.stat_result) -> bool:
    """Whether a descriptor is that of a file; one that was closed meanwhile is none."""
    try:
        return os.path.samestat(os.fstat(number), wanted)
    except OSError:
        return False


def limit_unread(descriptor: int, seconds: float | None) -> None:
    """Let the kernel close connections accepted from this socket whose peer takes nothing for so long; None = never.

    The server writes what it was given and then waits for ever (its kernel buffers hold megabytes), and offers no way to
    close a connection: without this a peer that reads nothing keeps its socket for as long as it likes. Linux counts a
    window of zero, too, and a peer that reads now and then is not closed; other systems know no such limit.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return
    one = socket.socket(fileno=descriptor)
    try:
        one.setsockopt(socket.IPPROTO_TCP, option, int((seconds or 0) * 1000))
    finally:
        one.detach()


def _bound(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Inherited by what is accepted. Without it the second write of a reply (a stream's first text, after its head) waits for
        # the client's acknowledgement of the first, which comes 40 ms later.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
        made.setblocking(False)
    except OSError:
        made.close()
        raise
    return made
