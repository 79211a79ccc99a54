"""Whether the service answers, and saying so to systemd."""

from __future__ import annotations

import contextlib
import http.client
import os
import socket

__all__ = ["is_ready", "notify_systemd"]

_SECONDS = 2.0


def is_ready(host: str, port: int) -> bool:
    """Ask ``/ready``; waits two seconds at most."""
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def notify_systemd() -> None:
    """Say READY=1 where systemd listens (Type=notify)."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.connect("\0" + address[1:] if address.startswith("@") else address)
        notify.sendall(b"READY=1")
