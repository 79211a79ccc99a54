"""The gateway inside another program: no server, no command line, no Litestar until an ASGI application is asked for."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ccr.adapters.config.file_store import FileConfigStore
from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.adapters.system.fleet import FleetMember
from ccr.application.gateway import Gateway
from ccr.application.settings import Settings
from ccr.entrypoints.lifecycle import Running, opened, running

if TYPE_CHECKING:
    from ccr.application.ports.config import ConfigStore
    from ccr.entrypoints.asgi import GatewayApp

__all__ = ["create_app", "open_gateway"]


def _assembled(
    settings: Settings | Mapping[str, object] | str | Path | None, environ: Mapping[str, str] | None
) -> Running:
    variables = os.environ if environ is None else environ
    store: ConfigStore | None = None
    if isinstance(settings, (Settings, Mapping)):
        store = FixedStore(loaded_from(settings, variables))
    elif settings is not None:
        store = FileConfigStore(Path(settings), variables)
    made = running(environ=variables, store=store)
    # The person's own gateway may run beside us: what it is told is not for this program.
    made.container.state.fleet.override(FleetMember(None))
    return made


@asynccontextmanager
async def open_gateway(
    settings: Settings | Mapping[str, object] | str | Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Gateway]:
    """Open a gateway for the time of an ``async with``.

    Args:
        settings: ``Settings``, a mapping in the shape of ``config.json``, the path of such a file (then its changes are
            followed), or None for the user's own configuration.
        environ: variables for ``$NAME`` in the configuration; the process's own by default.

    Raises:
        ConfigError: the configuration cannot be used; ``problems`` has all of it.
    """
    async with opened(_assembled(settings, environ)) as made:
        yield made.container.gateway()


def create_app(
    settings: Settings | Mapping[str, object] | str | Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
) -> GatewayApp:
    """Return the HTTP face as an ASGI application, to be served or mounted by another program.

    The host program must run the application's lifespan: it loads the configuration. Raises ConfigError for settings
    that were given as values.
    """
    from ccr.entrypoints.asgi import GatewayApp  # Litestar is imported only when it is asked for

    return GatewayApp(_assembled(settings, environ))
