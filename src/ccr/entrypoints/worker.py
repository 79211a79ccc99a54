"""One worker of the service: Granian around ``ccr.entrypoints.asgi:create``, in a process of its own.

Started by the supervisor only. SIGTERM: stop listening, let the replies end, close the application; a second one
cuts the replies. SIGINT is the
parent's business. Standard input is a pipe from the parent: its end means that the parent is gone, and so do we.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvloop

from ccr.adapters.system.listeners import leave_queue
from ccr.domain.errors import ConfigError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.service import EXIT_CONFIG, EXIT_FAILED, LISTENER_VARIABLE, Service

__all__ = ["main"]

_BACKLOG = 16_384
"""Connections that wait for accept, and requests that wait for Python; the kernel cuts the first to somaxconn."""
_HTTP1_BUFFER = 65_536
"""Bytes read at once from a connection."""
_HEADER_MILLISECONDS = 30_000
_MOST_FILES = 65_536
_OTHER_FILES = 48
"""Descriptors that are no connections: logs, the event loop, the fleet, the listener; about 25, and room for files that are
read.
"""
_FIRST_REQUEST_SECONDS = 0.25
"""What a connection gets to send its first request in, if it was accepted just before we were told to stop."""
_LAST_SECONDS = 5.0
"""What open replies get after the parent has gone."""

_Message = MutableMapping[str, Any]
_Receive = Callable[[], Awaitable[_Message]]
_Send = Callable[[_Message], Awaitable[None]]
_App = Callable[[_Message, _Receive, _Send], Awaitable[None]]


class _Guarded:
    """The application, with a lifespan that never fails in silence.

    Granian goes on without a lifespan whose coroutine raises; we would then answer requests with nothing open.
    """

    def __init__(self, app: _App) -> None:
        self.app = app
        self.exit_code = 0
        self.requests: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        if scope["type"] != "lifespan":
            await self._request(scope, receive, send)
            return

        async def watched(message: _Message) -> None:
            if message["type"].endswith(".failed"):
                self.fail(message.get("message", ""))
            await send(message)

        try:
            await self.app(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - the outermost edge of the process
            self.fail(error)
            await send({"type": "lifespan.startup.failed", "message": str(error)})

    async def _request(self, scope: _Message, receive: _Receive, send: _Send) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.requests.add(task)
        try:
            await self.app(scope, receive, send)
        finally:
            self.requests.discard(task)

    def cut(self) -> None:
        """End every reply where it is."""
        for task in self.requests:
            task.cancel()

    def fail(self, why: object) -> None:
        """Say why on standard error, which the parent passes on."""
        if isinstance(why, ConfigError):
            self.exit_code = EXIT_CONFIG
            sys.stderr.write(f"{bootstrap.placed(bootstrap.paths(), why)}\n")
            return
        self.exit_code = EXIT_FAILED
        if not isinstance(why, BaseException):
            sys.stderr.write(f"ccr: {why}\n")
            return
        import traceback

        traceback.print_exception(why)


async def _serve(service: Service) -> int:
    from granian.constants import HTTPModes, Interfaces
    from granian.errors import FatalError
    from granian.http import HTTP1Settings
    from granian.server.embed import Server

    from ccr.entrypoints.asgi import create

    app = _Guarded(create())
    server = Server(
        app,
        address=service.host,
        port=service.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=_most_connections(),
        http1_settings=HTTP1Settings(
            header_read_timeout=_HEADER_MILLISECONDS, max_buffer_size=_HTTP1_BUFFER, keep_alive=True
        ),
        log_enabled=False,
    )
    listener = _accept_from_parent(server)
    loop = asyncio.get_running_loop()
    halt: Callable[[], None] = server.stop  # granian's own has no annotations
    ending = False

    def stop() -> None:
        nonlocal ending
        if ending:
            app.cut()
        elif listener is not None and leave_queue(listener):
            # Whoever was accepted in this moment has yet to send a request; the server would take the connection for an idle one.
            loop.call_later(_FIRST_REQUEST_SECONDS, halt)
        else:
            halt()
        ending = True

    loop.add_signal_handler(signal.SIGTERM, stop)

    def parent_gone() -> None:
        if not os.read(0, 1):
            loop.remove_reader(0)
            stop()
            loop.call_later(_LAST_SECONDS, os._exit, EXIT_FAILED)

    if os.environ.get("CCR_WATCH_PARENT"):
        loop.add_reader(0, parent_gone)
    try:
        await server.serve()
    except FatalError:
        # The lifespan failed; it has said why.
        return app.exit_code or EXIT_FAILED
    return app.exit_code


def _accept_from_parent(server: Any) -> int | None:
    """Listen on the parent's socket, not on one of our own: what waits in its queue outlives us. Returns its descriptor."""
    from granian._granian import SocketHolder

    descriptor = os.environ.pop(LISTENER_VARIABLE, "")
    if not descriptor:
        return None

    def use() -> None:
        holder: Any = SocketHolder  # its stub has no constructor
        server._ssp, server._shd = None, holder(int(descriptor), False, _BACKLOG)  # noqa: SLF001

    # Granian offers no argument for it; this is the one place where it makes its socket.
    server._init_shared_socket = use  # noqa: SLF001
    return int(descriptor)


def _most_connections() -> int:
    """Return how many connections are accepted at once: a stream needs two descriptors, and there may be few.

    Without descriptors the HTTP server would try to accept again and again, and do nothing else.
    """
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return _BACKLOG
    return max(1, min(_BACKLOG, (soft - _OTHER_FILES) // 2))


def _allow_files() -> None:
    """Take as many descriptors as we may: the usual 1024 are 500 streams, two a stream."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def main() -> int:
    """Serve until told to stop; the exit code is 0, or that of what went wrong at the start."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _allow_files()
    service = Service.from_environment()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(service))


if __name__ == "__main__":
    sys.exit(main())
