"""What the guard refuses never becomes a call, and has its line in the log all the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.application.exchange.settle import outcome_of
from ccr.domain.errors import LimitedError, UnauthenticatedError
from ccr.domain.record import Outcome, RequestRecord

if TYPE_CHECKING:
    from ccr.application.journal import Journal
    from ccr.application.ports.system import Clock
    from ccr.domain.errors import GatewayError

__all__ = ["Refusals"]


@define(eq=False)
class Refusals:
    """Writes the record of a request that was refused unread."""

    journal: Journal
    clock: Clock

    def __call__(self, request_id: str, error: GatewayError, status: int, address: str) -> None:
        """``address``: who was refused; written down where somebody tries keys."""
        guessed = isinstance(error, UnauthenticatedError | LimitedError)
        self.journal.write(
            RequestRecord(
                id=request_id,
                at=self.clock.now(),
                outcome=Outcome.AUTH if guessed else outcome_of(error, sent=False),
                status=status,
                seconds=0.0,
                principal="",
                error=error.kind,
                message=f"{error.message} (from {address})" if guessed else error.message,
            )
        )
