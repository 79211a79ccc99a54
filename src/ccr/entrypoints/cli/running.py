"""Which gateway the command line talks to: that of this home if one runs, else the configured address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

from ccr.domain.errors import ConfigError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.client import Client
from ccr.entrypoints.cli.output import CommandError, config_failed
from ccr.entrypoints.service import EXIT_NOT_RUNNING, Service

if TYPE_CHECKING:
    from ccr.application.settings import Settings
    from ccr.entrypoints.bootstrap import Paths

__all__ = ["Found", "find", "load_settings", "need_running"]


@frozen
class Found:
    """``pid`` is the parent's, None when none runs from this home, 0 when one does but has not said its pid."""

    place: Paths
    client: Client
    pid: int | None
    service: Service | None
    settings: Settings | None
    problem: ConfigError | None = None
    """Why there are no settings: a gateway may well run on the configuration that was there before."""

    @property
    def address(self) -> str:
        return self.client.address


def load_settings(place: Paths) -> Settings:
    """Load the configuration. Raises CommandError with every problem."""
    try:
        return bootstrap.load(place).settings
    except ConfigError as error:
        raise config_failed(error) from error


def find() -> Found:
    """Look at lock and configuration; asks nobody yet."""
    place = bootstrap.paths()
    settings, problem = None, None
    try:
        settings = bootstrap.load(place).settings if place.config.exists() else _defaults(place)
    except ConfigError as error:
        problem = error
    pid = bootstrap.lock_holder(place)
    service = Service.from_file(place.state / "service.json") if pid is not None else None
    key = settings.server.api_key.reveal() if settings is not None and settings.server.api_key else ""
    if service is not None:
        return Found(place, Client(service.address, key), pid, service, settings, problem)
    if settings is None:
        return Found(place, Client("http://127.0.0.1:3456", key), pid, None, None, problem)
    address = bootstrap.address_of(settings)
    return Found(place, Client(address, key), pid, None, settings, problem)


def _defaults(place: Paths) -> Settings:
    """What the first configuration will say, before it is written."""
    return bootstrap.check_text(place, bootstrap.first_text()).settings


def need_running() -> Found:
    """Return a gateway that answers. Raises CommandError (not running)."""
    found = find()
    if found.client.health() is None:
        raise CommandError(
            f"ccr is not running (nobody answers at {found.address})", "`ccr start`", code=EXIT_NOT_RUNNING
        )
    return found
