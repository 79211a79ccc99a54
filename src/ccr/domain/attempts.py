"""Which targets are tried, in which order, and whether there is another try. Pure: no clock, no sleep."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from ccr.domain._value import value
from ccr.domain.errors import Remedy

if TYPE_CHECKING:
    from ccr.domain.errors import GatewayError
    from ccr.domain.models import ModelRef

__all__ = ["AttemptPlan", "Step", "next_step"]


class Step(Enum):
    """What to do after a failure."""

    STOP = "stop"
    AGAIN = "again"
    """The same target, with the request amended."""
    NEXT = "next"


@value
class AttemptPlan:
    """Targets in order; ``tried`` of them have failed."""

    targets: tuple[ModelRef, ...]
    tried: int = 0

    @property
    def current(self) -> ModelRef:
        """The target to try now."""
        return self.targets[self.tried]


def next_step(plan: AttemptPlan, error: GatewayError) -> tuple[Step, AttemptPlan]:
    """Say whether the next target is tried. A failure that no other target can mend stops at once."""
    following = AttemptPlan(plan.targets, plan.tried + 1)
    if error.failure.remedy is Remedy.AMEND:
        return Step.AGAIN, plan
    if error.failure.remedy is Remedy.STOP or following.tried >= len(plan.targets):
        return Step.STOP, plan
    return Step.NEXT, following
