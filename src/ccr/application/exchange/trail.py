"""What is remembered of a request while it runs; settle makes the RequestRecord of it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from ccr.application.flow.health import Lease
    from ccr.application.ports.journal import Span
    from ccr.domain.errors import GatewayError
    from ccr.domain.facts import RequestFacts
    from ccr.domain.fidelity import Loss
    from ccr.domain.record import AttemptRecord
    from ccr.domain.repair import Repair
    from ccr.domain.routing.decision import RouteDecision

__all__ = ["Trail"]


@define(eq=False)
class Trail:
    """Mutable, one a request, owned by its task. Times are monotonic seconds."""

    id: str
    at: datetime
    began: float
    principal: str
    facts: RequestFacts | None = None
    decision: RouteDecision | None = None
    span: Span | None = None
    attempts: list[AttemptRecord] = field(factory=list)
    usage: Usage = NO_USAGE
    side: Usage = NO_USAGE
    """What calls of our own cost on the way (a picture described)."""
    status: int = 0
    first_byte: float | None = None
    path: str = ""
    losses: tuple[Loss, ...] = ()
    repairs: tuple[Repair, ...] = ()
    error: GatewayError | None = None
    revision: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    lease: Lease | None = None
    """The claim on the target that was asked last."""
    settled: bool = False
