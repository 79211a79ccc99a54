"""Alive, ready, and what there is to say about this process."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.flow.admission import Admission
    from ccr.application.flow.health import Health
    from ccr.application.ports.system import Clock

__all__ = ["CheckHealth", "Readiness"]


@define(frozen=True)
class Readiness:
    """``reasons`` say what is missing; none = ready."""

    reasons: tuple[str, ...]

    @property
    def ready(self) -> bool:
        """Work may be sent here."""
        return not self.reasons


@define(eq=False)
class CheckHealth:
    """Never asks a provider or a store: liveness is about this process only."""

    catalog: CatalogHolder
    admission: Admission
    clock: Clock
    started: float
    health: Health | None = None
    runtime: Callable[[], Mapping[str, int]] = dict
    """Counts of what the process holds: tasks, connections."""

    def readiness(self) -> Readiness:
        """Say whether new work may come."""
        reasons = []
        if not self.catalog.loaded:
            reasons.append("configuration not loaded")
        if self.admission.draining:
            reasons.append("draining")
        return Readiness(tuple(reasons))

    def status(self) -> Mapping[str, object]:
        """Return what a person wants to know, as plain JSON values; no secrets."""
        readiness = self.readiness()
        facts: dict[str, object] = {
            "uptime": round(self.clock.monotonic() - self.started, 3),
            "ready": readiness.ready,
            "reasons": list(readiness.reasons),
            "draining": self.admission.draining,
            "runtime": dict(self.runtime()),
            "active_requests": self.admission.active,
            "max_in_flight": self.admission.slots.limit,
            "queued": self.admission.slots.queued,
            "shed": self.admission.shed,
            "last_error": self.catalog.last_error,
        }
        if self.catalog.loaded:
            facts.update(self._configured())
        return facts

    def _configured(self) -> Mapping[str, object]:
        catalog = self.catalog.current
        server = catalog.settings.server
        profiles = {ref: target.destination.profile for ref, target in catalog.targets.items()}
        return {
            "revision": catalog.revision,
            "host": server.host,
            "port": server.port,
            "routes": {scenario: str(ref) for scenario, ref in catalog.policy.routes().items()},
            "windows": {
                str(ref): {"window": profile.context_window, "max_output": profile.max_output}
                for ref, profile in profiles.items()
            },
            "providers": [
                {
                    "name": provider.name,
                    "models": list(provider.models),
                    "note": catalog.unavailable.get(provider.name, ""),
                }
                for provider in catalog.settings.providers
            ],
            "health": self.health.report(catalog.targets) if self.health is not None else [],
            "uses_anthropic": any(target.destination.is_anthropic for target in catalog.targets.values()),
            "warnings": [
                *map(str, catalog.warnings),
                *(catalog.transformers.warnings() if catalog.transformers is not None else ()),
            ],
        }
