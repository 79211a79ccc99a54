"""What the command line needs of the adapters before, and without, a running gateway.

``entrypoints/cli`` knows no adapters; it comes through here. Nothing below imports the server, the data path or the
token counter, so a command stays quick.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ccr.adapters.config.paths import Paths
from ccr.entrypoints.service import Service

if TYPE_CHECKING:
    from ccr.adapters.system.claude import Overridden
    from ccr.application.operations.models import ListKnownModels
    from ccr.application.operations.providers import ManageProviders
    from ccr.application.ports.config import Change, Loaded
    from ccr.application.settings import Settings
    from ccr.domain.errors import ConfigError

__all__ = [
    "NotWritableError",
    "Paths",
    "address_of",
    "apply_port",
    "check_text",
    "config_schema",
    "edit_config",
    "first_text",
    "fleet_socket",
    "is_parent",
    "known_models",
    "known_providers",
    "load",
    "lock_holder",
    "overridden",
    "paths",
    "placed",
    "plain_config",
    "read_config",
    "replace_config",
    "service_command",
    "service_of",
    "shown",
    "stale_pid",
    "taken_by",
    "write_first",
]


class NotWritableError(Exception):
    """A place that we must write to cannot be written; the message says which and why."""


def paths() -> Paths:
    """Where our files are, by the environment."""
    return Paths.of(os.environ)


def apply_port(port: int | None) -> None:
    """Let ``--port`` win over file and environment, here and in what we start."""
    if port is not None:
        os.environ["SERVICE_PORT"] = str(port)


def load(place: Paths, *, strict: bool = False) -> Loaded:
    """Read and check the configuration. Raises ConfigError."""
    from ccr.adapters.config.file_store import FileConfigStore

    return FileConfigStore.of(place, os.environ, strict=strict).load_now()


def read_config(place: Paths) -> str:
    """Return the configuration's text. Raises ConfigError."""
    from ccr.adapters.config.file_store import FileConfigStore

    return FileConfigStore.of(place, os.environ).read()


def placed(place: Paths, error: ConfigError) -> ConfigError:
    """Return the error with line and column for problems that know only their JSON path."""
    from ccr.adapters.config.file_store import FileConfigStore

    return FileConfigStore.of(place, os.environ).place(error)


def check_text(place: Paths, text: str, *, strict: bool = False) -> Loaded:
    """Check a text as if it stood in the configuration file. Raises ConfigError."""
    from ccr.adapters.config.load import load as load_text

    return load_text(text, file=str(place.config), environ=os.environ, strict=strict)


def replace_config(place: Paths, old: str, new: str) -> None:
    """Install a checked text; the old one is kept as a backup. Raises OSError."""
    from datetime import UTC, datetime

    from ccr.adapters.config import files

    with files.locked(place.config):
        files.back_up(place.config, old.encode(), datetime.now(UTC))
        files.write_atomically(place.config, new.encode())


def edit_config(place: Paths, changes: Sequence[Change]) -> Loaded:
    """Change values in the file; comments survive. Raises ConfigError."""
    from ccr.adapters.config.file_store import FileConfigStore

    return FileConfigStore.of(place, os.environ).edit_now(changes)


def first_text() -> str:
    """Return the commented first configuration."""
    from ccr.adapters.config.file_store import first_text as text

    return text()


def write_first(place: Paths) -> bool:
    """Write the first configuration where there is none; whether it was written. Raises NotWritableError."""
    from ccr.adapters.config.file_store import first_config

    try:
        return first_config(place.config)
    except OSError as error:
        raise NotWritableError(f"cannot write {place.config}: {error.strerror}") from error


def config_schema() -> str:
    """Return the JSON Schema of the configuration."""
    from ccr.adapters.config.jsonschema import render

    return render()


def shown(settings: Settings) -> list[dict[str, object]]:
    """Return every value that is in effect as ``path``, ``value``, ``origin``; secrets are masked."""
    from ccr.adapters.config.show import show

    return [{"path": item.path, "value": item.value, "origin": item.origin} for item in show(settings)]


def known_providers() -> ManageProviders:
    """Return what tells of providers, those of installed packages included. Raises ConfigError for a broken one."""
    from ccr.adapters.providers.entry_points import installed_providers
    from ccr.application.operations.providers import ManageProviders as Manage

    return Manage(installed_providers(), lambda name: bool(os.environ.get(name)))


def known_models() -> ListKnownModels:
    """Return what tells of models. Raises ConfigError as above."""
    from datetime import UTC, datetime

    from ccr.adapters.models.catalog import PackagedModels
    from ccr.adapters.providers.entry_points import installed_providers
    from ccr.application.operations.models import ListKnownModels as Known

    return Known(installed_providers(), PackagedModels(), lambda: datetime.now(UTC).date().isoformat())


# -------------------------------------------------------------------------------------------- the service


def service_of(place: Paths, settings: Settings, banner: str = "") -> Service:
    """Return what the parent is told. Creates the state directory (0700). Raises NotWritableError."""
    try:
        place.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritableError(f"cannot write {place.state}: {error.strerror}") from error
    server = settings.server
    return Service(
        host=server.host,
        port=server.port,
        workers=max(1, server.workers),
        drain_wait=server.drain_wait,
        drain_timeout=server.drain_timeout,
        lock=str(place.lock_file),
        pid_file=str(place.pid_file),
        fleet=str(place.socket),
        banner=banner,
        most_memory=settings.limits.worker_memory,
    )


def address_of(settings: Settings) -> str:
    """Return the base URL under which programs on this machine reach the gateway."""
    server = settings.server
    return Service(server.host, server.port, 1, 0.0, 0.0, "", "", "").address


def service_command() -> list[str]:
    """Return the command that becomes the parent; ``-P``: modules of the directory it is started in are not ours."""
    return [sys.executable, "-P", "-m", "ccr.entrypoints.supervisor"]


def fleet_socket(place: Paths) -> Path:
    """Return where the parent listens."""
    from ccr.adapters.system.fleet import reachable

    return reachable(place.socket)


def lock_holder(place: Paths) -> int | None:
    """Return the pid of the parent that runs from this home, 0 when it cannot be known, None when none runs."""
    from ccr.adapters.system.daemon import Lock

    return Lock(place.lock_file).holder


def is_parent(pid: int) -> bool:
    """Whether that process is a parent of ours as seen from here, and may be signalled."""
    from ccr.adapters.system.daemon import runs

    return runs(pid, "ccr.entrypoints.supervisor")


def stale_pid(place: Paths) -> bool:
    """Remove a pid file that outlived its process; whether there was one."""
    if lock_holder(place) is not None:
        return False
    try:
        place.pid_file.unlink()
    except OSError:
        return False
    return True


def taken_by(host: str, port: int) -> tuple[int, str, int | None] | None:
    """Return who listens there (pid, words for it) and the next free port; None when nobody does."""
    from ccr.adapters.system.daemon import PortTakenError, check_port, free_port, port_owner

    try:
        check_port(host, port)
    except PortTakenError:
        owner = port_owner(port)
        return (owner.pid if owner else 0, str(owner or "another process"), free_port(host, port))
    except OSError:
        return None
    return None


def overridden(variables: Mapping[str, str | None], folder: Path) -> list[Overridden]:
    """Return what Claude Code's settings files set over these variables (None = to be unset)."""
    from ccr.adapters.system.claude import overridden as find

    home = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    return find(variables, home, folder)


def plain_config(file: Path) -> dict[str, object]:
    """Return a configuration file as plain values, nothing expanded or checked; empty where that is not possible."""
    from ccr.adapters.config.document import Document

    try:
        document = Document.of(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError):
        return {}
    plain = document.plain() if not document.faults else None
    return plain if isinstance(plain, dict) else {}
