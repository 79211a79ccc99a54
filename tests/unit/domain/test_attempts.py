from __future__ import annotations

import pytest
from attrs import evolve

from ccr.domain.attempts import AttemptPlan, RetryBudget, RetryRules, Step, meaningful, next_step
from ccr.domain.errors import (
    Blast,
    ContextOverflowError,
    DrainingError,
    Failure,
    ForbiddenError,
    GatewayError,
    InvalidRequestError,
    OverloadedError,
    Remedy,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamReply,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from ccr.domain.models import ModelRef

A, A2, B = ModelRef("a", "x"), ModelRef("a", "z"), ModelRef("b", "y")


def unreached() -> UpstreamUnavailableError:
    error = UpstreamUnavailableError("a:1 refuses connections")
    error.unreached = True
    return error


def doubtful() -> UpstreamUnavailableError:
    error = UpstreamUnavailableError("a:1 broke the connection")
    error.accepted = True
    return error


def test_targets_are_tried_in_order() -> None:
    after = next_step(AttemptPlan((A, B)), UpstreamUnavailableError("down"))

    assert (after.step, after.plan.current, after.wait) == (Step.NEXT, B, 0.0)


def test_the_last_target_is_the_last() -> None:
    plan = AttemptPlan((A, B), tried=1)

    assert plan.is_last
    assert next_step(plan, UpstreamLimitedError("busy")).step is Step.STOP


def test_what_no_other_target_can_mend_stops_at_once() -> None:
    assert next_step(AttemptPlan((A, B)), InvalidRequestError("bad")).step is Step.STOP


def test_an_input_too_long_for_one_model_may_fit_the_next() -> None:
    assert next_step(AttemptPlan((A, B)), ContextOverflowError("long")).plan.current == B


def test_who_may_not_use_one_target_may_use_the_next() -> None:
    assert next_step(AttemptPlan((A, B)), ForbiddenError("not this one")).plan.current == B
    assert next_step(AttemptPlan((A,)), ForbiddenError("not this one"), may_retry=True).step is Step.STOP


def test_a_rejection_that_says_what_to_amend_is_for_the_same_target() -> None:
    plan = AttemptPlan((A, B))
    error = UpstreamRejectedError("Unknown parameter: 'seed'.")
    error.amend()

    after = next_step(plan, error)

    assert (after.step, after.plan) == (Step.AGAIN, plan)


@pytest.mark.parametrize("error", [UpstreamAuthError("no"), UpstreamLimitedError("busy")])
def test_what_speaks_against_a_key_is_tried_with_another_one_before_another_target(
    error: GatewayError,
) -> None:
    plan = AttemptPlan((A, B))

    assert next_step(plan, error, other_key=True).step is Step.AGAIN
    assert next_step(plan, error, other_key=False).plan.current == B


def test_another_key_does_not_help_where_the_place_is_down() -> None:
    assert next_step(AttemptPlan((A, B)), unreached(), other_key=True).step is Step.NEXT


def test_another_model_behind_a_door_that_cannot_be_reached_is_passed_over() -> None:
    after = next_step(AttemptPlan((A, A2, B)), unreached())

    assert after.plan.current == B
    assert next_step(AttemptPlan((A, A2, B)), UpstreamUnavailableError("500")).plan.current == A2


def test_without_another_target_a_failure_of_the_moment_is_waited_out() -> None:
    rules = RetryRules(retries=2, base=0.5, longest=0.8)
    plan = AttemptPlan((A,))

    first = next_step(plan, unreached(), may_retry=True, chance=0.5, rules=rules)
    second = next_step(first.plan, unreached(), may_retry=True, chance=0.5, rules=rules)
    third = next_step(second.plan, unreached(), may_retry=True, chance=0.5, rules=rules)

    assert [(one.step, one.wait) for one in (first, second, third)] == [
        (Step.AGAIN, 0.25),
        (Step.AGAIN, 0.4),
        (Step.STOP, 0.0),
    ]


def test_without_a_budget_there_is_no_retry() -> None:
    assert next_step(AttemptPlan((A,)), unreached(), may_retry=False).step is Step.STOP


def test_the_providers_own_time_is_waited_for_if_it_is_short() -> None:
    rules = RetryRules(base=0.2, longest=3.0)

    short = next_step(
        AttemptPlan((A,)),
        UpstreamLimitedError("busy", retry_after=2.0),
        may_retry=True,
        chance=0.5,
        rules=rules,
    )
    long = next_step(
        AttemptPlan((A,)),
        UpstreamLimitedError("busy", retry_after=3.5),
        may_retry=True,
        chance=0.5,
        rules=rules,
    )

    assert (short.step, short.wait) == (Step.AGAIN, 2.1)
    assert long.step is Step.STOP


@pytest.mark.parametrize(
    "error",
    [
        UpstreamTimeoutError("slow"),
        UpstreamProtocolError("riddles"),
        UpstreamAuthError("no"),
        OverloadedError("full", failure=Failure("overload", Blast.ENDPOINT, Remedy.NEXT)),
        UpstreamUnavailableError("open", failure=Failure("upstream_unavailable", Blast.MODEL, Remedy.NEXT)),
    ],
)
def test_what_a_moment_does_not_mend_is_not_sent_again(error: GatewayError) -> None:
    assert next_step(AttemptPlan((A,)), error, may_retry=True).step is Step.STOP


def test_what_may_have_been_billed_is_sent_again_once() -> None:
    first = next_step(AttemptPlan((A,)), doubtful(), may_retry=True)
    second = next_step(first.plan, doubtful(), may_retry=True)

    assert (first.step, first.plan.doubtful) == (Step.AGAIN, True)
    assert second.step is Step.STOP


def test_a_new_round_may_reach_who_could_not_be_reached() -> None:
    plan = evolve(AttemptPlan((B, A)), tried=1, unreachable=frozenset({"b"}))

    after = next_step(plan, unreached(), may_retry=True)

    assert (after.step, after.plan.current, after.plan.unreachable) == (Step.AGAIN, A, frozenset())


def test_the_failure_that_says_most_is_told() -> None:
    reply = UpstreamReply("anthropic", 500, {}, b"{}")
    limited, missing = UpstreamLimitedError("busy"), UpstreamRejectedError("no model", status=404)
    told = UpstreamUnavailableError("boom", upstream=reply)
    ranked: list[GatewayError] = [
        limited,
        missing,
        UpstreamAuthError("no"),
        told,
        DrainingError("end"),
        UpstreamTimeoutError("slow"),
        unreached(),
    ]

    for at, error in enumerate(ranked):
        assert meaningful([*ranked[at:], *reversed(ranked[at:])]) is error
    assert meaningful([told, ForbiddenError("not you")]) is told
    assert meaningful([unreached(), ForbiddenError("not you")]).kind == "forbidden"
    last = UpstreamLimitedError("busy too")
    assert meaningful([limited, last]) is last


def test_of_several_limits_the_one_that_ends_first_is_told() -> None:
    soon, late = UpstreamLimitedError("a", retry_after=7), UpstreamLimitedError("b", retry_after=30)
    as_soon, never = UpstreamLimitedError("c", retry_after=7), UpstreamLimitedError("no credit left")

    assert meaningful([soon, late, never]) is soon
    assert meaningful([late, never, soon, DrainingError("end")]) is soon
    assert meaningful([soon, as_soon]) is as_soon
    assert meaningful([never, UpstreamLimitedError("d", retry_after=0), soon]).message == "d"


def test_an_open_circuit_says_less_than_a_provider_does() -> None:
    circuit = UpstreamUnavailableError(
        "failed too often", failure=Failure("upstream_unavailable", Blast.MODEL, Remedy.NEXT)
    )
    refused = UpstreamAuthError("no credit", upstream=UpstreamReply("anthropic", 402, {}, b""))
    broken = UpstreamUnavailableError("it broke", upstream=UpstreamReply("anthropic", 500, {}, b""))

    assert meaningful([circuit, refused]) is refused
    assert meaningful([broken, circuit]) is broken


def test_retries_are_a_share_of_the_requests() -> None:
    budget = RetryBudget(share=0.2, burst=2.0, left=2.0)
    for _ in range(2):
        assert budget.allows
        budget.spend()

    assert not budget.allows
    for _ in range(5):
        budget.earn()
    assert budget.allows
    for _ in range(100):
        budget.earn()
    assert budget.left == 2.0
