"""``ccr start | stop | drain``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

import rich_click as click

from ccr import __version__
from ccr.domain.errors import ConfigError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.client import Client
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json, warn, warn_problems
from ccr.entrypoints.cli.running import Found, find, need_running
from ccr.entrypoints.service import EXIT_FAILED, EXIT_NOT_RUNNING, SERVICE_VARIABLE
from ccr.entrypoints.takeover import has_a_keeper

if TYPE_CHECKING:
    from ccr.application.settings import Settings
    from ccr.entrypoints.bootstrap import Paths

__all__ = ["banner", "drain", "end", "ensure_running", "launch", "look_at_port", "prepare", "start", "stop"]

_READY_SECONDS = 60.0
_STOP_MARGIN = 15.0
"""What the parent needs beside drain_wait and drain_timeout to end."""
_POLL = 0.05
_LOG_BYTES = 1024 * 1024
"""What parent and workers say outside their own logs is little; more is begun anew."""
_ROUTES = ("default", "background", "think", "long_context", "web_search", "image", "compaction", "subagent")
_CAMEL = {"long_context": "longContext", "web_search": "webSearch"}


@click.command()
@click.option("--foreground", "-f", is_flag=True, help="Stay; always so as process 1 or under systemd.")
@click.option("--port", type=click.IntRange(1, 65535), help="Listen here instead of at the configured PORT.")
def start(*, foreground: bool, port: int | None) -> None:
    """Start the gateway, in the background unless told otherwise.

    Writes a commented first configuration when there is none.
    """
    bootstrap.apply_port(port)
    place, settings = prepare()
    if foreground or has_a_keeper():
        _refuse_second(place)
        _become(place, settings)
    if bootstrap.lock_holder(place) is not None:
        _join(place)
        return
    client = launch(place, settings)
    emit(banner(place, settings, client.address))


@click.command()
@click.option("--now", is_flag=True, help="Cut open streams instead of letting them end.")
def stop(*, now: bool) -> None:
    """Stop the gateway: fail readiness, let open streams end, then leave."""
    found = find()
    if found.pid is None:
        raise _not_running(found)
    end(found, now=now)
    emit("ccr has stopped")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def drain(*, as_json: bool) -> None:
    """Take no new requests; open ones go on. `ccr stop` ends what is drained."""
    reply = need_running().client.post("/api/drain")
    if as_json:
        emit_json(reply)
    else:
        emit(f"ccr takes no new requests; {reply.get('active_requests', 0)} are still open")


def ensure_running() -> Found:
    """Return a gateway that is ready, started if need be; says so on standard error only. Raises CommandError."""
    found = find()
    if found.client.ready():
        return found
    if found.pid is not None:
        _await_ready(found.client, found.place)
        return find()
    place, settings = prepare()
    warn("ccr is not running; starting it")
    launch(place, settings)
    return find()


# ------------------------------------------------------------------------------------------------ starting


def prepare() -> tuple[Paths, Settings]:
    """Write the first configuration if there is none, then load it."""
    place = bootstrap.paths()
    try:
        if bootstrap.write_first(place):
            warn(f"Wrote a first configuration: {place.config}")
        loaded = bootstrap.load(place)
    except bootstrap.NotWritableError as error:
        raise CommandError(str(error), "set CCR_HOME to a directory that you may write") from error
    except ConfigError as error:
        raise config_failed(error) from error
    warn_problems(loaded.warnings)
    bootstrap.stale_pid(place)
    return place, loaded.settings


def _refuse_second(place: Paths) -> None:
    holder = bootstrap.lock_holder(place)
    if holder is not None:
        who = f" (pid {holder})" if holder else ""
        raise CommandError(f"ccr already runs from {place.home}{who}", "`ccr status`, or `ccr stop` first")


def _environment(place: Paths, settings: Settings, said: str = "") -> dict[str, str]:
    look_at_port(settings)
    try:
        service = bootstrap.service_of(place, settings, said)
    except bootstrap.NotWritableError as error:
        raise CommandError(str(error), "set CCR_HOME to a directory that you may write") from error
    return {**os.environ, SERVICE_VARIABLE: service.to_environment()}


def look_at_port(settings: Settings) -> None:
    taken = bootstrap.taken_by(settings.server.host, settings.server.port)
    if taken is None:
        return
    _, owner, free = taken
    port = settings.server.port
    if Client(bootstrap.address_of(settings)).health() is not None:
        owner = f"another ccr, {owner}"
    use = f"`ccr start --port {free}`" if free else "another PORT"
    raise CommandError(
        f"port {port} is taken by {owner}",
        f"stop it, or use a free port: {use} (or PORT in the configuration)",
    )


def _become(place: Paths, settings: Settings) -> None:
    """Turn this process into the parent: it keeps the pid, and forgets the command line's memory."""
    said = banner(place, settings, bootstrap.address_of(settings))
    environment = _environment(place, settings, said)
    command = bootstrap.service_command()
    sys.stdout.flush()
    os.execve(command[0], command, environment)  # noqa: S606 - our own interpreter


def launch(place: Paths, settings: Settings) -> Client:
    """Start the parent in the background and wait until it is ready. Raises CommandError."""
    environment = _environment(place, settings)
    log = place.logs / "service.log"
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as error:
        raise CommandError(
            f"cannot write {log}: {error.strerror}", "set CCR_HOME to a directory that you may write"
        ) from error
    if os.fstat(output).st_size > _LOG_BYTES:
        os.ftruncate(output, 0)
    before = os.fstat(output).st_size
    process = subprocess.Popen(
        bootstrap.service_command(),
        env=environment,
        cwd=place.home,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    os.close(output)
    client = Client(bootstrap.address_of(settings), _key(settings))
    if client.wait_ready(_READY_SECONDS, lambda: process.poll() is None):
        return client
    if process.poll() is not None:
        if bootstrap.lock_holder(place) is not None:
            # Two starts at once: the other one won.
            _await_ready(client, place)
            return client
        said = log.read_bytes()[before:].decode("utf-8", "replace").strip()
        raise CommandError(
            f"it did not start:\n{said[-4000:]}", f"look into {log}", code=process.returncode or EXIT_FAILED
        )
    raise CommandError(f"it was not ready within {_READY_SECONDS:.0f} s", f"look into {log}")


def _await_ready(client: Client, place: Paths) -> None:
    if client.draining():
        raise CommandError(f"ccr at {client.address} is draining and takes no new work", "`ccr restart`")
    if not client.wait_ready(_READY_SECONDS, lambda: bootstrap.lock_holder(place) is not None):
        raise CommandError("ccr runs but does not get ready", f"`ccr status`, or look into {place.logs}")


def _join(place: Paths) -> None:
    """Another start was first: wait for it, and say where it is."""
    until = time.monotonic() + _STOP_MARGIN
    found = find()
    while found.service is None and found.pid is not None and time.monotonic() < until:
        time.sleep(_POLL)
        found = find()
    _await_ready(found.client, place)
    emit(f"ccr already runs at {found.address} (pid {found.pid})")


def _key(settings: Settings) -> str:
    return settings.server.api_key.reveal() if settings.server.api_key else ""


def routes_of(settings: Settings) -> Mapping[str, str]:
    """Scenario -> ``provider,model``, as configured."""
    routes = {_CAMEL.get(name, name): getattr(settings.router, name) for name in _ROUTES}
    return {name: target for name, target in routes.items() if target} or {"default": "demo,demo"}


def banner(place: Paths, settings: Settings, address: str) -> str:
    """Say where it is, what goes where, and what to do next."""
    routes = routes_of(settings)
    width = max(map(len, routes))
    lines = [f"ccr {__version__} is ready at {address}", ""]
    lines += [
        f"  {'routes' if not index else '':<12}{name:<{width}} -> {target}"
        for index, (name, target) in enumerate(routes.items())
    ]
    lines += [
        f"  {'config':<12}{place.config}",
        f"  {'logs':<12}{settings.logging.directory or place.logs}",
        f'  {"Claude Code":<12}ccr code        (or in any shell: eval "$(ccr env)", then claude)',
    ]
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------ stopping


def _not_running(found: Found) -> CommandError:
    stale = bootstrap.stale_pid(found.place)
    swept = " (a stale pid file was removed)" if stale else ""
    if found.client.health() is not None:
        return CommandError(
            f"a ccr answers at {found.address}, but it was not started from {found.place.home}{swept}",
            "stop it where it was started, or set CCR_HOME to its home",
        )
    return CommandError(f"ccr is not running{swept}", "", code=EXIT_NOT_RUNNING)


def end(found: Found, *, now: bool) -> None:
    """Signal the parent and wait until it has let go of the lock. Raises CommandError."""
    pid = found.pid or 0
    if not pid:
        raise CommandError("ccr is just starting", "try again in a second")
    if not bootstrap.is_parent(pid):
        raise CommandError(
            f"ccr runs from {found.place.home}, but not where this command runs (its pid there is {pid})",
            "stop it in its own container",
        )
    service = found.service
    wait = _STOP_MARGIN + (service.drain_wait + service.drain_timeout if service is not None else 0.0)
    try:
        os.kill(pid, signal.SIGTERM)
        if now:
            time.sleep(_POLL * 2)
            os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    except PermissionError as error:
        raise CommandError(f"ccr (pid {pid}) belongs to another user", "stop it as that user") from error
    until = time.monotonic() + wait
    told = time.monotonic() + 1.0
    while bootstrap.lock_holder(found.place) == pid:
        if time.monotonic() > until:
            raise CommandError(f"ccr (pid {pid}) did not stop within {wait:.0f} s", f"kill -9 {pid}")
        if told and time.monotonic() > told:
            warn("Waiting for open requests to end; `ccr stop --now` cuts them.")
            told = 0.0
        time.sleep(_POLL)
