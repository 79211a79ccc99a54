from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.health import Breaker, BreakerRules, BreakerState, Ewma

RULES = BreakerRules(failures=3, window=10.0, sessions=2, rest=5.0, longest=15.0)


def opened() -> Breaker:
    breaker = Breaker(RULES)
    for at in range(3):
        breaker.failed(float(at), f"s{at}", "down")
    assert breaker.state is BreakerState.OPEN
    return breaker


def test_failures_of_several_sessions_open_it() -> None:
    breaker = Breaker(RULES)

    assert [breaker.failed(float(at), f"s{at % 2}", "down") for at in range(3)] == [False, False, True]
    assert (breaker.state, breaker.why, breaker.since) == (BreakerState.OPEN, "down", 2.0)
    assert not breaker.enter(3.0)
    assert breaker.wait(3.0) == 4.0


def test_one_sessions_failures_never_do() -> None:
    breaker = Breaker(RULES)

    assert not any(breaker.failed(at / 10, "the same", "down") for at in range(200))
    assert breaker.enter(20.0)


def test_failures_of_long_ago_are_forgotten() -> None:
    breaker = Breaker(RULES)

    assert not any(breaker.failed(at * 6.0, f"s{at}", "down") for at in range(20))


def test_a_success_outweighs_a_failure() -> None:
    breaker = Breaker(RULES)
    for at in range(20):
        assert not breaker.failed(at / 10, f"s{at}", "down")
        breaker.succeeded()
    breaker.succeeded()

    assert breaker.state is BreakerState.CLOSED


def test_one_probe_at_a_time_finds_out() -> None:
    breaker = opened()

    assert not breaker.enter(6.9)
    assert breaker.enter(7.0)
    assert breaker.state is BreakerState.HALF_OPEN
    assert not breaker.enter(7.1)
    breaker.succeeded()

    assert (breaker.state, breaker.why) == (BreakerState.CLOSED, "")
    assert breaker.enter(7.2)


def test_while_somebody_finds_out_nobody_is_sent_away_for_long() -> None:
    rules = BreakerRules(failures=2, sessions=2, rest=10.0, longest=120.0)
    breaker = Breaker(rules)
    breaker.failed(0.0, "a", "down")
    breaker.failed(0.0, "b", "down")

    assert (breaker.wait(4.0), breaker.hint(4.0)) == (6.0, 6.0)
    assert breaker.enter(10.0)
    assert (breaker.wait(11.0), breaker.hint(11.0)) == (119.0, 10.0)
    assert breaker.hint(127.0) == 3.0


def test_a_probe_that_fails_makes_the_rest_twice_as_long_up_to_a_limit() -> None:
    breaker, now, rests = opened(), 2.0, []
    for _ in range(3):
        now += breaker.wait(now)
        assert breaker.enter(now)
        assert breaker.failed(now, "s", "still down", probe=True)
        rests.append(breaker.wait(now))

    assert rests == [10.0, 15.0, 15.0]


def test_a_probe_that_found_out_nothing_lets_the_next_one_go() -> None:
    breaker = opened()
    assert breaker.enter(7.0)
    breaker.released(7.0)

    assert breaker.enter(7.5)


def test_only_the_probe_itself_makes_way_for_the_next_one() -> None:
    breaker = opened()
    assert breaker.enter(7.0)
    breaker.released(1.5)

    assert not breaker.enter(7.5)


def test_what_was_sent_before_it_opened_does_not_speak_for_the_probe() -> None:
    breaker = opened()
    assert breaker.enter(7.0)

    assert not breaker.failed(7.5, "late", "down")
    assert breaker.state is BreakerState.HALF_OPEN
    assert breaker.failed(8.0, "s", "still down", probe=True)


def test_a_probe_that_is_never_heard_of_again_does_not_bar_the_way_for_ever() -> None:
    breaker = opened()
    assert breaker.enter(7.0)

    assert not breaker.enter(21.9)
    assert breaker.enter(22.0)


def test_what_was_sent_before_it_opened_does_not_count_again() -> None:
    breaker = opened()

    assert not breaker.failed(3.0, "late", "down")
    assert breaker.wait(3.0) == 4.0


SECONDS = st.integers(0, 64).map(lambda number: number / 16)
"""Sixteenths, whose sums are exact: what is tested is the circuit, not the rounding of its clock."""


@given(st.lists(st.tuples(st.sampled_from("fsre"), SECONDS, st.integers(0, 3)), max_size=60))
def test_it_never_bars_the_way_longer_than_its_longest_rest(steps: list[tuple[str, float, int]]) -> None:
    breaker, now = Breaker(RULES), 0.0
    for step, passed, session in steps:
        now += passed
        if step == "f":
            breaker.failed(now, str(session), "down", probe=bool(session))
        elif step == "s":
            breaker.succeeded()
        elif step == "r":
            breaker.released(now)
        else:
            breaker.enter(now)
        assert 0 <= breaker.wait(now) <= RULES.longest
    assert breaker.enter(now + breaker.wait(now))


def test_the_newest_value_weighs_most_of_all_single_ones() -> None:
    mean = Ewma(0.5)
    assert mean.mean is None
    for measured in (1.0, 2.0, 4.0):
        mean.add(measured)

    assert mean.mean == pytest.approx(2.75)
