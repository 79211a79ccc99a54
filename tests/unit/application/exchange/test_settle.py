from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from ccr.application.contained import Faults
from ccr.application.exchange.settle import Settle, outcome_of
from ccr.application.exchange.trail import Trail
from ccr.application.journal import Journal
from ccr.domain import errors
from ccr.domain.record import AttemptRecord, Outcome, RequestRecord
from tests.support.records import AT


class Keeps:
    def __init__(self) -> None:
        self.kept: list[RequestRecord] = []

    def accept(self, record: RequestRecord) -> None:
        self.kept.append(record)


class Noon:
    def now(self) -> datetime:
        return AT

    def monotonic(self) -> float:
        return 12.5


class FakeSpan:
    def __init__(self, error: Exception | None = None) -> None:
        self.ended: list[RequestRecord] = []
        self._error = error

    def headers(self) -> tuple[tuple[str, str], ...]:
        return ()

    def end(self, record: RequestRecord) -> None:
        self.ended.append(record)
        if self._error is not None:
            raise self._error


def trail(**changes: Any) -> Trail:
    return Trail(**{"id": "req_1", "at": AT, "began": 10.0, "principal": "local", **changes})


def settled(given: Trail) -> tuple[list[RequestRecord], Faults]:
    keeps, faults = Keeps(), Faults()
    settle = Settle(Journal([keeps], faults), Noon())
    settle(given)
    settle(given)
    return keeps.kept, faults


def test_a_request_is_settled_once() -> None:
    kept, _ = settled(trail(attempts=[AttemptRecord("p", "m", 200, 1.0)], status=200, bytes_out=5))

    assert len(kept) == 1
    assert (
        kept[0].outcome,
        kept[0].seconds,
        kept[0].status,
        kept[0].bytes_out,
        kept[0].error,
    ) == (Outcome.OK, 2.5, 200, 5, "")


def test_an_error_is_written_by_kind_and_sentence() -> None:
    kept, _ = settled(trail(error=errors.UpstreamTimeoutError("too slow", provider="p")))

    assert (
        kept[0].outcome,
        kept[0].error,
        kept[0].message,
    ) == (Outcome.TIMEOUT, "upstream_timeout", "too slow")


def test_the_span_ends_with_the_record() -> None:
    span = FakeSpan()
    kept, _ = settled(trail(span=span))

    assert kept == span.ended


def test_a_span_that_fails_costs_nothing_but_itself() -> None:
    kept, faults = settled(trail(span=FakeSpan(RuntimeError("their exporter"))))

    assert len(kept) == 1
    assert faults.counts == {"span": 1}


@pytest.mark.parametrize(
    "error, sent, outcome",
    [
        (None, True, Outcome.OK),
        (errors.ClientGoneError("left"), True, Outcome.CLIENT_CLOSED),
        (errors.UnauthenticatedError("no"), False, Outcome.AUTH),
        (errors.ForbiddenError("not this"), False, Outcome.AUTH),
        (errors.InvalidRequestError("no"), False, Outcome.INVALID),
        (errors.DrainingError("no"), False, Outcome.DRAINED),
        (errors.OverloadedError("no"), False, Outcome.OVERLOAD),
        (errors.LimitedError("no"), False, Outcome.OVERLOAD),
        (errors.InternalError("no"), False, Outcome.INTERNAL),
        (errors.UpstreamTimeoutError("no"), False, Outcome.TIMEOUT),
        (errors.UpstreamProtocolError("no"), False, Outcome.UPSTREAM_ERROR),
        (errors.UpstreamProtocolError("cut"), True, Outcome.UPSTREAM_TRUNCATED),
        (errors.UpstreamUnavailableError("no"), True, Outcome.UPSTREAM_ERROR),
        (errors.GatewayError("what else"), False, Outcome.INTERNAL),
    ],
)
def test_every_end_has_a_name(error: errors.GatewayError | None, outcome: Outcome, *, sent: bool) -> None:
    assert outcome is outcome_of(error, sent=sent)
