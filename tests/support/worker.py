"""What a gateway's worker holds: from its own status, and from the kernel."""

from __future__ import annotations

import http.client
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from attrs import evolve, frozen

__all__ = ["Usage", "cpu_of", "status_of", "usage_from", "usage_of"]

_TICK = 1 / os.sysconf("SC_CLK_TCK")


@frozen
class Usage:
    """``rss_mb``, ``pss_mb``: memory; ``files``: open descriptors; ``connections`` to providers, ``idle`` of them in the pool."""

    pid: int
    rss_mb: float
    pss_mb: float
    files: int
    tasks: int
    connections: int
    idle: int
    active: int

    def highest(self, other: Usage) -> Usage:
        """The higher figure of each kind."""
        return evolve(
            self,
            rss_mb=max(self.rss_mb, other.rss_mb),
            pss_mb=max(self.pss_mb, other.pss_mb),
            files=max(self.files, other.files),
            tasks=max(self.tasks, other.tasks),
            connections=max(self.connections, other.connections),
            active=max(self.active, other.active),
        )


def status_of(port: int, key: str = "") -> dict[str, Any]:
    """What ``/api/status`` says to whoever has the key. Raises OSError or HTTPException if it does not."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/api/status", headers={"authorization": f"Bearer {key}"} if key else {})
        status: dict[str, Any] = msgspec.json.decode(connection.getresponse().read())
    finally:
        connection.close()
    return status


def usage_of(port: int) -> Usage:
    """Ask the gateway and the kernel. Raises OSError or HTTPException if it does not answer."""
    return usage_from(status_of(port))


def usage_from(status: Mapping[str, Any]) -> Usage:
    """Ask the kernel about the worker that gave this status."""
    process = Path(f"/proc/{status['pid']}")
    sizes = {
        line.split(":")[0]: int(line.split()[1]) / 1024
        for line in (process / "smaps_rollup").read_text().splitlines()[1:]
    }
    held = status["runtime"]
    return Usage(
        status["pid"],
        sizes["Rss"],
        sizes["Pss"],
        len(list((process / "fd").iterdir())),
        held["tasks"],
        held["connections"],
        held["idle_connections"],
        status["active_requests"],
    )


def cpu_of(pid: int) -> float:
    """Seconds of user and system time of a process, in steps of 10 ms; 0.0 once it has gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) * _TICK
