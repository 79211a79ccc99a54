"""What all workers have to say, as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import define

if TYPE_CHECKING:
    from ccr.application.operations.check_health import CheckHealth
    from ccr.application.ports.fleet import Fleet

__all__ = ["FleetStatus", "merged"]

_SUMS = ("active_requests", "queued", "shed", "max_in_flight")
_CIRCUITS = ("open", "half_open", "closed")
"""The worst first."""
_OF_A_WORKER = ("pid", "uptime", "ready", "draining", *_SUMS)


@define(eq=False)
class FleetStatus:
    """Asks every worker; one that does not answer in time is missing, and its number is."""

    fleet: Fleet
    check_health: CheckHealth

    async def __call__(self) -> Mapping[str, object]:
        """Return the status of this worker with the sums of all, and a line for each, as plain JSON values."""
        mine = self.check_health.status()
        reports = await self.fleet.gather("status")
        return merged(mine, reports or [mine])


def merged(mine: Mapping[str, Any], reports: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Add up what counts, and take the worst of what does not."""
    status = dict(mine)
    for name in _SUMS:
        status[name] = sum(report.get(name) or 0 for report in reports)
    runtime = Counter[str]()
    for report in reports:
        runtime.update(report.get("runtime", {}))
    status["runtime"] = dict(runtime)
    status["ready"] = all(report["ready"] for report in reports)
    status["draining"] = any(report["draining"] for report in reports)
    status["reasons"] = sorted({reason for report in reports for reason in report["reasons"]})
    status["last_error"] = next((report["last_error"] for report in reports if report["last_error"]), "")
    if "health" in mine:
        status["health"] = _health(reports)
    status["workers"] = [
        {name: report[name] for name in _OF_A_WORKER if name in report} for report in reports
    ]
    return status


def _health(reports: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """One line a target: that of the worker to which it looks worst, with the sums of all."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for report in reports:
        for line in report.get("health", ()):
            found.setdefault(line["target"], []).append(line)
    told = []
    for lines in found.values():
        worst = min(lines, key=lambda line: _CIRCUITS.index(line["circuit"]))
        line = dict(worst)
        for name in ("in_flight", "queued", "provider_in_flight", "max_in_flight"):
            if name in worst:
                line[name] = sum(one.get(name) or 0 for one in lines)
        resting: dict[str, float] = {}
        for one in lines:
            for key, seconds in one.get("keys_resting", {}).items():
                resting[key] = max(seconds, resting.get(key, 0.0))
        if resting:
            line["keys_resting"] = resting
        told.append(line)
    return told
