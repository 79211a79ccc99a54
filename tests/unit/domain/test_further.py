"""Who is asked for the rest of a reply that was cut."""

from __future__ import annotations

import pytest

from ccr.domain.attempts import AttemptPlan, Step, further, next_step
from ccr.domain.errors import GatewayError, UpstreamTimeoutError, UpstreamUnavailableError
from ccr.domain.models import ModelRef

A, B, C = (ModelRef(name, "m") for name in "abc")
CUT = UpstreamUnavailableError("reset")
STILL = UpstreamTimeoutError("nothing new")


@pytest.mark.parametrize(
    "tried, error, may_retry, targets",
    [
        (0, CUT, True, (A, B, C)),
        (1, CUT, True, (B, C, A)),
        (1, CUT, False, (C, A)),
        (1, STILL, True, (C, A)),
    ],
)
def test_first_whoever_began_it_unless_it_stood_still(
    tried: int, error: GatewayError, may_retry: bool, targets: tuple[ModelRef, ...]
) -> None:
    plan = further(AttemptPlan((A, B, C), tried, retries=1), error, may_retry=may_retry)

    assert plan == AttemptPlan(targets, retries=2, doubtful=True)


def test_who_cannot_be_reached_is_not_asked() -> None:
    plan = further(AttemptPlan((A, B, C), 1, unreachable=frozenset("a")), CUT, may_retry=True)

    assert plan == AttemptPlan((B, C), retries=1, doubtful=True, unreachable=frozenset("a"))


def test_the_only_target_is_asked_again_within_the_budget() -> None:
    assert further(AttemptPlan((A,)), STILL, may_retry=True) == AttemptPlan((A,), retries=1, doubtful=True)
    assert further(AttemptPlan((A,)), CUT, may_retry=False) is None


def test_the_rest_is_a_repetition_and_not_repeated_besides() -> None:
    plan = further(AttemptPlan((A,)), CUT, may_retry=True)

    assert plan is not None
    assert next_step(plan, CUT, may_retry=True).step is Step.STOP
