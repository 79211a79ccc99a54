from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.errors import UnknownModelError
from ccr.domain.facts import Operation, RequestClass, RequestFacts
from ccr.domain.models import ModelRef
from ccr.domain.routing.conditions import Conditions
from ccr.domain.routing.decide import decide, is_explicit, needs_count
from ccr.domain.routing.glob import Glob
from ccr.domain.routing.policy import RoutePolicy, Routes
from ccr.domain.routing.rules import CUSTOM_FIRST, EXPLICIT_FIRST
from tests.support.routing import BIG, DEEP, FAST, MAIN, SMALL, facts, policy

ORDER = [
    "explicit", "custom", "subagentTag", "longContext", "auxiliary", "compaction", "agent", "subagent", "background",
    "webSearch", "think", "image", "models", "default", "window",
]  # fmt: skip


def test_every_rule_gives_a_verdict_in_the_documented_order() -> None:
    decision = decide(policy(), facts())
    assert [verdict.rule for verdict in decision.verdicts] == ORDER
    assert (decision.target, decision.scenario, decision.reason) == (MAIN, "default", "no other rule")


def test_rules_after_the_one_that_decided_are_not_asked() -> None:
    decision = decide(policy(Routes(default=MAIN, think=DEEP)), facts(plan_mode=True))
    assert (decision.target, decision.scenario) == (DEEP, "think")
    later = decision.verdicts[ORDER.index("think") + 1 : -1]
    assert {"an earlier rule decided"} == {verdict.because for verdict in later}


def test_an_explicit_choice_beats_everything_but_too_small_a_window() -> None:
    routes = Routes(default=MAIN, long_context=BIG, threshold=10)
    long = Conditions(low=5_000, high=5_000, counted=True)
    assert decide(policy(routes), facts("local,tiny"), long).target == SMALL
    longer = Conditions(low=9_000, high=9_000, counted=True)
    moved = decide(policy(routes), facts("local,tiny"), longer)
    assert (moved.target, moved.scenario, moved.tokens) == (BIG, "longContext", 9_000)
    assert "over the window of 8000 of local,tiny" in moved.reason


def test_a_custom_router_comes_after_the_explicit_choice_unless_it_is_put_first() -> None:
    answered = Conditions(custom_asked=True, custom_answer="main,deep")
    assert decide(policy(), facts("main,fast"), answered).target == FAST
    first = decide(policy(custom_first=True), facts("main,fast"), answered)
    assert (first.target, first.scenario) == (DEEP, "custom")
    assert [verdict.rule for verdict in first.verdicts[:2]] == ["custom", "explicit"]


def test_a_fault_falls_to_the_next_rule_and_is_seen() -> None:
    broken = Conditions(
        custom_asked=True, custom_error="ValueError: x", low=1, high=10**6, tokens_error="no ranks"
    )
    decision = decide(
        policy(Routes(default=MAIN, long_context=BIG, think=DEEP)), facts(plan_mode=True), broken
    )
    assert decision.scenario == "think"
    said = " ".join(verdict.because for verdict in decision.verdicts)
    assert "ValueError: x" in said
    assert "no ranks" in said


def test_a_wrong_tag_falls_through_and_is_still_removed() -> None:
    decision = decide(policy(), facts(subagent_tag="nobody,x"))
    assert (decision.target, decision.strip_tag) == (MAIN, True)
    assert not decide(policy(), facts()).strip_tag


def test_a_sessions_router_replaces_the_global_one() -> None:
    own = Conditions(routes=Routes(background=SMALL), routes_from="session")
    assert decide(policy(Routes(default=MAIN, background=FAST)), facts("claude-haiku-5"), own).target == SMALL


def test_an_unknown_bare_name_goes_to_default() -> None:
    assert decide(policy(), facts("gpt-77-turbo")).target == MAIN


def test_with_nothing_configured_there_is_one_clear_error() -> None:
    with pytest.raises(UnknownModelError, match=r"set Router\.default"):
        decide(RoutePolicy(), facts())


@pytest.mark.parametrize(
    "model, expected",
    [("claude-sonnet-5", (DEEP,)), ("main,fast", (DEEP, MAIN)), ("claude-haiku-5", ())],
)
def test_fallbacks_are_those_of_the_scenario(model: str, expected: tuple[ModelRef, ...]) -> None:
    fallbacks = {"default": (DEEP, MAIN)}
    assert (
        decide(policy(Routes(default=MAIN, background=FAST), fallbacks=fallbacks), facts(model)).fallbacks
        == expected
    )


def test_a_scenario_of_ours_may_have_its_own_fallback() -> None:
    found = decide(
        policy(Routes(default=MAIN, image=FAST), fallbacks={"image": (SMALL,)}), facts(images=True)
    )
    assert found.fallbacks == (SMALL,)


def test_whether_a_request_is_explicit() -> None:
    assert is_explicit(policy(), facts("main,gpt"))
    assert is_explicit(policy(), facts("no,where"))
    assert not is_explicit(policy(), facts())


# ------------------------------------------------------------------------------- when a count is worth it

LONG = Routes(default=MAIN, long_context=BIG, threshold=60_000)


@pytest.mark.parametrize(
    "model, low, high, expected",
    [
        ("claude-opus-5", 10, 500, False),
        ("claude-opus-5", 10_000, 60_000, False),
        ("claude-opus-5", 10_000, 60_001, True),
        ("claude-opus-5", 60_001, 90_000, False),
        ("main,gpt", 10_000, 90_000, False),
        ("local,tiny", 6_000, 8_000, True),
        ("local,tiny", 7_001, 8_000, False),
        ("no,where", 10_000, 90_000, False),
    ],
)
def test_only_an_estimate_that_straddles_a_limit_that_matters_is_counted(
    model: str, low: int, high: int, expected: bool
) -> None:
    assert needs_count(policy(LONG), facts(model), Conditions(low=low, high=high)) is expected


def test_without_a_long_context_target_nothing_is_counted() -> None:
    assert not needs_count(policy(), facts(), Conditions(low=0, high=10**9))


def test_without_known_windows_only_the_threshold_counts() -> None:
    known = policy(LONG, smallest_window=None)
    assert not needs_count(known, facts(), Conditions(low=0, high=60_000))
    assert needs_count(known, facts(), Conditions(low=0, high=60_001))


# --------------------------------------------------------------------------------------------- properties

REFS = st.none() | st.sampled_from([MAIN, FAST, DEEP, SMALL, BIG])
NAMES = st.sampled_from(
    [
        "claude-opus-5-5",
        "claude-haiku-5",
        "main,gpt",
        "MAIN/deep",
        "no,where",
        "local,tiny",
        "glm",
        "",
        ",",
        "/",
        "open,",
    ]
) | st.text(max_size=30)
ROUTES = st.builds(
    Routes,
    default=REFS, background=REFS, think=REFS, long_context=REFS, threshold=st.integers(1, 100_000), web_search=REFS,
    image=REFS, compaction=REFS, subagent=REFS,
    agents=st.dictionaries(st.sampled_from(["explore", "plan"]), st.sampled_from([MAIN, BIG])),
    models=st.lists(st.tuples(st.sampled_from(["opus", "*", "glm"]).map(Glob.of), st.sampled_from([MAIN, BIG]))).map(tuple),
    think_effort=st.sampled_from(Effort),
)  # fmt: skip
FACTS = st.builds(
    RequestFacts,
    operation=st.just(Operation.GENERATE), dialect=st.just("anthropic"), model=NAMES,
    thinking=st.sampled_from(ReasoningMode), budget=st.none() | st.integers(0, 9), plan_mode=st.booleans(),
    effort=st.none() | st.sampled_from(Effort), max_tokens=st.none() | st.integers(0, 10**6),
    tool_kinds=st.just(()) | st.just(("web_search_20250305",)), images=st.booleans(),
    agent_type=st.sampled_from(["", "Explore", "x"]), request_class=st.none() | st.sampled_from(RequestClass),
    is_subagent=st.booleans(), compaction=st.sampled_from(["", "auto"]), subagent_tag=NAMES, wants_1m=st.booleans(),
)  # fmt: skip
POLICIES = st.builds(policy, ROUTES, custom_first=st.booleans())
CONDITIONS = st.builds(
    lambda a, b, asked, answer, error, routes: Conditions(
        custom_asked=asked, custom_answer=answer, custom_error=error, low=min(a, b), high=max(a, b), routes=routes
    ),
    st.integers(0, 10**6), st.integers(0, 10**6), st.booleans(), st.none() | NAMES, st.sampled_from(["", "boom"]),
    st.none() | ROUTES,
)  # fmt: skip


@given(POLICIES, FACTS, CONDITIONS)
def test_deciding_is_total_and_deterministic(
    used: RoutePolicy, asked: RequestFacts, seen: Conditions
) -> None:
    try:
        decision = decide(used, asked, seen)
    except UnknownModelError:
        with pytest.raises(UnknownModelError):
            decide(used, asked, seen)
        return
    assert decide(used, asked, seen) == decision
    assert sorted(ORDER) == sorted(verdict.rule for verdict in decision.verdicts)
    matched = [verdict for verdict in decision.verdicts if verdict.matched]
    assert matched[-1].target == decision.target
    assert len(matched) - (matched[-1].rule == "window") == 1
    assert decision.target not in decision.fallbacks


@given(POLICIES, FACTS, CONDITIONS, st.integers(0, 10**6))
def test_a_count_is_asked_for_whenever_it_could_change_the_decision(
    used: RoutePolicy, asked: RequestFacts, seen: Conditions, tokens: int
) -> None:
    within = min(max(tokens, seen.low), seen.high)
    exact = Conditions(
        custom_asked=seen.custom_asked, custom_answer=seen.custom_answer, custom_error=seen.custom_error,
        low=within, high=within, routes=seen.routes,
    )  # fmt: skip
    if needs_count(used, asked, seen):
        return
    try:
        known, guessed = decide(used, asked, exact), decide(used, asked, seen)
    except UnknownModelError:
        return
    assert (known.target, known.scenario) == (guessed.target, guessed.scenario)


def test_both_orders_hold_the_same_rules() -> None:
    assert {rule.name for rule in EXPLICIT_FIRST} == {rule.name for rule in CUSTOM_FIRST}
