"""Opens and closes what a running gateway needs; shared by the server and by embedding programs."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from ccr.adapters.config.paths import Paths
from ccr.adapters.config.secrets import secrets_of
from ccr.adapters.system.listeners import limit_unread
from ccr.adapters.system.watchdog import LoopWatchdog
from ccr.entrypoints.container import Container

if TYPE_CHECKING:
    from ccr.application.catalog.holder import Catalog
    from ccr.application.ports.config import ConfigStore
    from ccr.domain.errors import ConfigError

__all__ = ["Running", "opened"]

_GC_THRESHOLD = 50_000
"""With what start-up made frozen, a full collection beside 50 big requests halves (29 -> 13 ms at p99, measured)."""


class Running:
    """An assembled gateway. ``container`` resolves everything; nothing is open until ``opened`` entered it."""

    def __init__(
        self, paths: Paths, environ: Mapping[str, str], *, console: bool, listener: int | None = None
    ) -> None:
        """``listener``: descriptor of the socket that we shall accept from."""
        self.paths = paths
        self._listener = listener
        self._console = console
        self.container = Container(paths=paths, environ=environ, applied=self._applied, refused=self._refused)

    def _applied(self, catalog: Catalog) -> None:
        """Hand the settings to what holds a copy of them; the data path reads the catalog only."""
        settings, container = catalog.settings, self.container
        secrets = secrets_of(settings)
        container.insight.logs().configure(settings.logging, self.paths.logs, secrets, console=self._console)
        container.state.identity().configure(settings.server.api_key)
        container.formats.memory().bytes = settings.limits.memo
        container.admission().configure(settings.limits)
        container.health().configure(settings)
        container.balance().configure(settings.failover)
        container.failover().configure(settings.failover)
        container.egress.http().configure(
            settings.proxy_url, settings.proxy_bypass, block_private=settings.block_private
        )
        if self._listener is not None:
            # Once, before the first connection: later it is the server's, who may have closed it.
            limit_unread(self._listener, settings.timeouts.send)
            self._listener = None
        logs = container.insight.logs()
        for problem in catalog.warnings:
            logs.problem(problem)
        logs.logger.info("configuration", revision=catalog.revision, providers=len(settings.providers))

    def _refused(self, error: ConfigError) -> None:
        for problem in error.problems:
            self.container.insight.logs().problem(problem)


def running(
    *,
    environ: Mapping[str, str] | None = None,
    store: ConfigStore | None = None,
    console: bool = False,
    listener: int | None = None,
) -> Running:
    """Assemble a gateway; with ``store`` the configuration comes from there instead of a file. ``listener`` as above."""
    variables = os.environ if environ is None else environ
    made = Running(Paths.of(variables), variables, console=console, listener=listener)
    if store is not None:
        made.container.state.config_store.override(store)
    return made


@asynccontextmanager
async def opened(made: Running, *, follow: bool = True, own_process: bool = False) -> AsyncIterator[Running]:
    """Load the configuration, follow its changes, and close everything at the end.

    ``own_process``: the process is ours, and so is its garbage collector; another program's is left alone.

    Raises:
        ConfigError: the first configuration cannot be used.
    """
    container = made.container
    manage = container.manage_config()
    tasks: list[asyncio.Task[Any]] = []
    watchdog = LoopWatchdog(container.insight.logs().blocked) if own_process else None
    try:
        await manage.load()
        container.gateway()
        container.console()
        if follow:
            tasks.append(asyncio.get_running_loop().create_task(manage.follow()))
        if own_process:
            gc.freeze()
            gc.set_threshold(_GC_THRESHOLD)
        if watchdog is not None:
            watchdog.start()
        yield made
    finally:
        if watchdog is not None:
            watchdog.stop()
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await container.egress.upstream().aclose()
        container.state.counter().close()
        container.insight.logs().close()
