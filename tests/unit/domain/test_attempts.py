from __future__ import annotations

from ccr.domain.attempts import AttemptPlan, Step, next_step
from ccr.domain.errors import (
    InvalidRequestError,
    Remedy,
    UpstreamLimitedError,
    UpstreamRejectedError,
    UpstreamUnavailableError,
)
from ccr.domain.models import ModelRef

A, B = ModelRef("a", "x"), ModelRef("b", "y")


def test_targets_are_tried_in_order() -> None:
    step, plan = next_step(AttemptPlan((A, B)), UpstreamUnavailableError("down"))

    assert (step, plan.current) == (Step.NEXT, B)


def test_the_last_target_is_the_last() -> None:
    plan = AttemptPlan((A, B), tried=1)

    assert (Step.STOP, plan) == next_step(plan, UpstreamLimitedError("busy"))


def test_what_no_other_target_can_mend_stops_at_once() -> None:
    plan = AttemptPlan((A, B))

    assert (Step.STOP, plan) == next_step(plan, InvalidRequestError("bad"))


def test_a_rejection_that_says_what_to_amend_is_for_the_same_target() -> None:
    plan = AttemptPlan((A, B))
    error = UpstreamRejectedError("Unknown parameter: 'seed'.")
    error.amend()

    assert error.failure.remedy is Remedy.AMEND
    assert (Step.AGAIN, plan) == next_step(plan, error)
