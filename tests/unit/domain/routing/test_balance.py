from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping

import pytest

from ccr.domain.models import ModelRef
from ccr.domain.routing.balance import Group, Standing, Strategy, ordered

A, B, C = ModelRef("a", "x"), ModelRef("b", "x"), ModelRef("c", "x")


def standing(**by_provider: Standing) -> Callable[[ModelRef], Standing]:
    known: Mapping[str, Standing] = by_provider
    return lambda ref: known.get(ref.provider, Standing())


def half() -> float:
    return 0.5


@pytest.mark.parametrize("strategy", list(Strategy))
def test_barred_ones_come_last_and_full_ones_before_them(strategy: Strategy) -> None:
    stand = standing(a=Standing(barred=True), b=Standing(full=True))

    assert ordered(Group((A, B, C), strategy), stand, half) == (C, B, A)


@pytest.mark.parametrize("strategy", list(Strategy))
def test_the_pinned_one_comes_first_if_it_can_be_asked(strategy: Strategy) -> None:
    group = Group((A, B, C), strategy, {A: 1000.0})

    assert ordered(group, standing(), half, C)[0] == C
    assert ordered(group, standing(c=Standing(full=True)), half, C)[0] != C
    assert ordered(group, standing(c=Standing(barred=True)), half, C)[-1] == C


def test_a_single_one_is_not_looked_at() -> None:
    assert ordered(Group((A,)), lambda ref: pytest.fail(str(ref)), half) == (A,)


def test_in_order() -> None:
    assert ordered(Group((B, A)), standing(), half) == (B, A)


def test_by_weight() -> None:
    group = Group((A, B, C), Strategy.WEIGHTED, {A: 6.0, B: 3.0, C: 0.0})
    chance = random.Random(4)

    first = Counter(ordered(group, standing(), chance.random)[0].provider for _ in range(3000))

    assert first["c"] == 0
    assert first["a"] / first["b"] == pytest.approx(2.0, rel=0.15)


def test_by_load() -> None:
    group = Group((A, B, C), Strategy.LEAST_IN_FLIGHT, {B: 4.0, C: 0.0})
    stand = standing(a=Standing(in_flight=2), b=Standing(in_flight=4))

    assert ordered(group, stand, half) == (B, A, C)


def test_by_latency_with_busy_ones_counted_as_slower_and_unknown_ones_tried() -> None:
    group = Group((A, B, C), Strategy.LATENCY)
    fast_but_busy, slow = Standing(latency=0.5, in_flight=3), Standing(latency=1.0)

    assert ordered(group, standing(a=fast_but_busy, b=slow), half) == (C, B, A)
    assert ordered(Group((A, B), Strategy.LATENCY, {A: 0.0}), standing(b=slow), half) == (B, A)
