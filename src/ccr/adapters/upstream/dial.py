"""From an origin to a connected socket: names, happy eyeballs (RFC 8305), TLS.

Not ``loop.create_connection(happy_eyeballs_delay=...)``: uvloop does not know it, and CPython 3.11 leaks the winner's
socket when it is cancelled in the tick in which it won.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Any, TypeAlias

from ccr.adapters.upstream.ssrf import leads_to_metadata
from ccr.domain.errors import UpstreamUnavailableError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from ccr.adapters.upstream.connection import Connection
    from ccr.adapters.upstream.ssrf import Fence

__all__ = ["Address", "dial", "fenced_off", "resolve"]

Address: TypeAlias = tuple[socket.AddressFamily, Any]

_HEAD_START = 0.25  # seconds, RFC 8305 section 8


async def dial(connection: Connection, context: ssl.SSLContext, fence: Fence) -> None:
    """Connect ``connection`` to its origin, at an address that ``fence`` allows.

    Raises OSError (ssl.SSLError, socket.gaierror among them), or UpstreamUnavailableError where no address is allowed.
    Cancelled or failed, it leaves nothing open.
    """
    loop = asyncio.get_running_loop()
    origin = connection.origin
    sock = await _connect_first(await resolve(origin.host, origin.port, fence))
    try:
        await loop.create_connection(
            lambda: connection,
            sock=sock,
            ssl=context if origin.scheme == "https" else None,
            server_hostname=origin.host if origin.scheme == "https" else None,
        )
    except BaseException:
        # The transport owns the socket by now; asyncio would say goodbye first, and wait for the answer.
        connection.abort()
        raise


async def resolve(host: str, port: int, fence: Fence) -> list[Address]:
    """Return the allowed addresses of ``host``, best first.

    A name that has forbidden addresses among others is called at the others. Raises as ``dial``.
    """
    if leads_to_metadata(host):
        raise fenced_off(host)
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return [(family, (host, port) if family == socket.AF_INET else (host, port, 0, 0))]
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    allowed = [(family, address) for family, _, _, _, address in found if fence.allows(str(address[0]))]
    if found and not allowed:
        raise fenced_off(host)
    return _interleaved(allowed)


def fenced_off(host: str) -> UpstreamUnavailableError:
    """Return the error of a host that is not called."""
    error = UpstreamUnavailableError(
        f"{host} leads to an address that is not called: a metadata service, a link-local address, or a private network "
        "under Admin.blockPrivateUpstreams"
    )
    error.unreached = True
    return error


def _interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Alternate the families, beginning with the one that the resolver put first."""
    first = addresses[0][0] if addresses else None
    same = [address for address in addresses if address[0] == first]
    other = [address for address in addresses if address[0] != first]
    return [address for address in chain.from_iterable(zip_longest(same, other)) if address is not None]


async def _connect_first(addresses: list[Address]) -> socket.socket:
    """Try each address, the next one a quarter second after the last or as soon as it fails."""
    if not addresses:
        raise OSError("the name has no address")
    if len(addresses) == 1:
        return await _connect(*addresses[0])
    loop = asyncio.get_running_loop()
    waiting = list(reversed(addresses))
    running: set[asyncio.Task[socket.socket]] = set()
    errors: list[BaseException] = []
    try:
        while waiting or running:
            if waiting:
                running.add(loop.create_task(_connect(*waiting.pop())))
            head_start = _HEAD_START if waiting else None
            await asyncio.wait(running, timeout=head_start, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in running if task.done()]:
                running.discard(task)
                error = task.exception()
                if error is None:
                    return task.result()
                errors.append(error)
    finally:
        for task in running:
            task.cancel()
            task.add_done_callback(_drop)
    raise errors[0]


async def _connect(family: socket.AddressFamily, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        # A stream may be silent for minutes while a model thinks: notice a dead peer, keep middleboxes awake.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 60)
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


def _drop(task: asyncio.Task[socket.socket]) -> None:
    """A loser that connected all the same."""
    if not task.cancelled() and task.exception() is None:
        task.result().close()
