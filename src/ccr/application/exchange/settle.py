"""The end of every request: one record to the journal, whatever happened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.application.contained import contained
from ccr.domain.errors import (
    CallError,
    ClientGoneError,
    DrainingError,
    ForbiddenError,
    GatewayError,
    GatewayStateError,
    InternalError,
    LimitedError,
    OverloadedError,
    UnauthenticatedError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
)
from ccr.domain.record import Outcome, RequestRecord

if TYPE_CHECKING:
    from ccr.application.exchange.trail import Trail
    from ccr.application.journal import Journal
    from ccr.application.ports.system import Clock

__all__ = ["Settle", "outcome_of"]

_OUTCOMES: tuple[tuple[type[GatewayError], Outcome], ...] = (
    (ClientGoneError, Outcome.CLIENT_CLOSED),
    (UnauthenticatedError, Outcome.AUTH),
    (ForbiddenError, Outcome.AUTH),
    (CallError, Outcome.INVALID),
    (DrainingError, Outcome.DRAINED),
    (OverloadedError, Outcome.OVERLOAD),
    (LimitedError, Outcome.OVERLOAD),
    (InternalError, Outcome.INTERNAL),
    (UpstreamTimeoutError, Outcome.TIMEOUT),
    (UpstreamError, Outcome.UPSTREAM_ERROR),
    (GatewayStateError, Outcome.INTERNAL),
)


def outcome_of(error: GatewayError | None, *, sent: bool) -> Outcome:
    """Name the end of a request; ``sent`` = the client has had bytes of a reply."""
    if error is None:
        return Outcome.OK
    if sent and isinstance(error, UpstreamProtocolError):
        return Outcome.UPSTREAM_TRUNCATED
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.INTERNAL)


@define(eq=False)
class Settle:
    """Makes the RequestRecord, once a request."""

    journal: Journal
    clock: Clock

    def __call__(self, trail: Trail) -> None:
        """Write it down; the second call does nothing."""
        if trail.settled:
            return
        trail.settled = True
        error = trail.error
        if trail.lease is not None:
            trail.lease.ended(error)
        record = RequestRecord(
            id=trail.id,
            at=trail.at,
            outcome=outcome_of(error, sent=trail.bytes_out > 0),
            status=trail.status,
            seconds=self.clock.monotonic() - trail.began,
            principal=trail.principal,
            facts=trail.facts,
            decision=trail.decision,
            attempts=tuple(trail.attempts),
            usage=trail.usage.plus(trail.side),
            first_byte=trail.first_byte,
            path=trail.path,
            losses=trail.losses,
            repairs=trail.repairs,
            error=error.kind if error is not None else "",
            message=error.message if error is not None else "",
            revision=trail.revision,
            bytes_in=trail.bytes_in,
            bytes_out=trail.bytes_out,
        )
        self.journal.write(record)
        if trail.span is not None:
            # An embedding program brings its own span processors.
            with contained("span", self.journal.faults):
                trail.span.end(record)
