"""The server's application: what Granian is pointed at."""

from __future__ import annotations

import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from ccr import __version__
from ccr.entrypoints.http.app import build_app
from ccr.entrypoints.lifecycle import Running, opened, running
from ccr.entrypoints.service import LISTENER_VARIABLE

if TYPE_CHECKING:
    from litestar.types import ASGIApp

__all__ = ["GatewayApp", "create"]


class GatewayApp:
    """An ASGI application whose lifespan opens and closes the gateway."""

    def __init__(self, made: Running, *, follow: bool = True, own_process: bool = False) -> None:
        self._made = made
        self._own_process = own_process
        self._follow = follow
        container = made.container
        self._app: ASGIApp = build_app(
            gateway=container.gateway(),
            console=container.console(),
            catalog=container.catalog(),
            clients=container.formats.clients(),
            identity=container.state.identity(),
            clock=container.clock(),
            new_id=container.new_id(),
            fault=container.insight.logs().fault,
            journal=container.insight.journal(),
            process={
                "pid": os.getpid(),
                "version": __version__,
                "config_path": str(made.paths.config),
                "logs_path": str(made.paths.logs),
            },
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request, or run the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(
                opened(self._made, follow=self._follow, own_process=self._own_process)
            )
            # The vocabulary takes 0.1 s to load and holds the interpreter meanwhile: not while requests wait.
            await self._made.container.state.counter().warm()
            fleet = self._made.container.state.fleet()
            fleet.handlers.update(self._commands())
            await fleet.open()
            stack.push_async_callback(fleet.close)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _commands(self) -> dict[str, Any]:
        """What the parent may tell or ask this worker."""
        console = self._made.container.console()
        admission = self._made.container.admission()

        async def reload() -> bool:
            return await console.manage_config.reload()

        def status() -> dict[str, object]:
            return {"pid": os.getpid(), **console.check_health.status()}

        return {"status": status, "drain": admission.drain, "reload": reload}


def create() -> GatewayApp:
    """Make the application from the environment (``CCR_HOME``, ``CCR_CONFIG``, the parent's socket)."""
    listener = os.environ.get(LISTENER_VARIABLE)
    return GatewayApp(running(listener=int(listener) if listener else None), own_process=True)
