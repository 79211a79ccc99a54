"""``ccr restart``: the running parent becomes its successor, and no request is lost."""

from __future__ import annotations

import json
import os
import socket
import time
from typing import TYPE_CHECKING
from uuid import uuid4

import rich_click as click

from ccr.domain.value import evolve
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.client import Client
from ccr.entrypoints.cli.output import CommandError, emit, warn
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.cli.service import banner, end, launch, look_at_port, prepare
from ccr.entrypoints.service import EXIT_FAILED, Service
from ccr.entrypoints.takeover import Renewal

if TYPE_CHECKING:
    from ccr.application.settings import Settings
    from ccr.entrypoints.bootstrap import Paths

__all__ = ["restart"]

_READY_SECONDS = 75.0
"""A little more than the new parent gives its workers."""
_ANSWER_SECONDS = 5.0
_POLL = 0.05


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), help="Listen here instead of at the configured PORT.")
def restart(*, port: int | None) -> None:
    """Start anew without losing a request: version, environment, configuration.

    New requests go to the new server as soon as it is ready; those under way end with the old one, which has
    Timeouts.drainMs for it. If the new one does not get ready, the old one stays.
    """
    bootstrap.apply_port(port)
    place, settings = prepare()
    found = find()
    client = launch(place, settings) if found.pid is None else _renewed(found, place, settings)
    emit(banner(place, settings, client.address))


def _renewed(found: Found, place: Paths, settings: Settings) -> Client:
    """Have the running parent renewed; where it cannot be, stop and start. Raises CommandError."""
    if not bootstrap.is_parent(found.pid or 0):
        end(found, now=False)  # says why not
    service = evolve(bootstrap.service_of(place, settings), token=uuid4().hex)
    before = found.service
    if before is not None and (before.host, before.port) != (service.host, service.port):
        look_at_port(settings)
    status = found.client.call("GET", "/api/status").body
    open_requests = status.get("active_requests", 0) if isinstance(status, dict) else 0
    renewal = Renewal(service, tuple(bootstrap.service_command()), dict(os.environ))
    if not _asked(place, renewal):
        # It is ending already, has just begun, or is of an older version.
        end(found, now=False)
        return launch(place, settings)
    _await_success(place, service)
    if open_requests:
        warn(f"Open requests ({open_requests}) end with the server that was there.")
    return Client(service.address, found.client.key)


def _asked(place: Paths, renewal: Renewal) -> bool:
    """Ask the parent over the fleet's socket; whether it does so."""
    line = json.dumps({"renew": renewal.to_message()}).encode() + b"\n"
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as talk:
        talk.settimeout(_ANSWER_SECONDS)
        try:
            talk.connect(str(bootstrap.fleet_socket(place)))
            talk.sendall(line)
            answer = talk.makefile("rb").readline()
            return bool(json.loads(answer).get("renewing"))
        except (OSError, ValueError):
            return False


def _await_success(place: Paths, service: Service) -> None:
    until = time.monotonic() + _READY_SECONDS
    while time.monotonic() < until:
        facts = Service.from_file(service.facts_file)
        if facts is not None and facts.token == service.token:
            if facts.trouble:
                raise CommandError(
                    f"the gateway was not restarted: {facts.trouble}",
                    f"the one that ran goes on; look into {place.logs / 'service.log'}",
                    code=facts.trouble_code or EXIT_FAILED,
                )
            return
        if bootstrap.lock_holder(place) is None:
            raise CommandError("the gateway ended while it was restarted", f"look into {place.logs}")
        time.sleep(_POLL)
    raise CommandError(f"the new server was not ready within {_READY_SECONDS:.0f} s", "`ccr status`")
