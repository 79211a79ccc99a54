"""Take no new work, let open streams go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

if TYPE_CHECKING:
    from ccr.application.flow.admission import Admission
    from ccr.application.ports.fleet import Fleet

__all__ = ["Drain"]


@define(eq=False)
class Drain:
    """Drains every worker, this one at once."""

    fleet: Fleet
    admission: Admission

    async def __call__(self) -> None:
        """Begin to drain."""
        self.admission.drain()
        await self.fleet.tell("drain")
