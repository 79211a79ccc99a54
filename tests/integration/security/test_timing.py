"""What a stopwatch learns about the key: nothing (P43)."""

from __future__ import annotations

import gc
import random
import statistics
from time import perf_counter_ns

import pytest

from ccr.adapters.identity.single_key import SingleKey
from ccr.application.ports.identity import Presented
from ccr.domain.secret import Secret

pytestmark = pytest.mark.slow

KEY = "k3y-" + "A1b2C3d4" * 5
WRONG = KEY[1:] + KEY[:1]
"""Nowhere right, of the same characters: one of a single letter is sooner in a processor's cache."""
HALF = len(KEY) // 2
KINDS = {
    "nothing right": WRONG,
    "first half right": KEY[:HALF] + WRONG[HALF:],
    "all but the last right": KEY[:-1] + WRONG[-1:],
}
"""Wrong ones. That the right one is right is no secret: it is answered otherwise."""
SAMPLES = 10_000


def rank_sum(one: list[int], other: list[int]) -> float:
    """The probability that a sample of one is below one of the other, ties halved (Mann-Whitney U / n1 n2)."""
    ranked = sorted([(value, 0) for value in one] + [(value, 1) for value in other])
    total = 0.0
    at = 0
    while at < len(ranked):
        end = at
        while end < len(ranked) and ranked[end][0] == ranked[at][0]:
            end += 1
        rank = (at + end + 1) / 2
        total += rank * sum(1 for value, which in ranked[at:end] if which == 0)
        at = end
    u = total - len(one) * (len(one) + 1) / 2
    return 1 - u / (len(one) * len(other))


def measured(check: object) -> dict[str, list[int]]:
    """Nanoseconds of each kind, in an order by chance, so that a neighbour's load falls on all alike."""
    chance = random.Random(7)
    kinds = [kind for kind in KINDS for _ in range(SAMPLES)]
    chance.shuffle(kinds)
    took: dict[str, list[int]] = {kind: [] for kind in KINDS}
    gc.disable()
    try:
        for kind in kinds:
            # Texts of their own each time, all kinds of them and in any order: none may lie better in a cache than another.
            shown = {one: "".join(KINDS[one]) for one in chance.sample(list(KINDS), len(KINDS))}[kind]
            began = perf_counter_ns()
            check(shown)  # type: ignore[operator]
            took[kind].append(perf_counter_ns() - began)
    finally:
        gc.enable()
    return took


def separable(took: dict[str, list[int]]) -> dict[str, float]:
    base = took["nothing right"]
    return {kind: abs(rank_sum(base, times) - 0.5) for kind, times in took.items() if kind != "nothing right"}


def test_no_part_of_a_key_is_told_by_time() -> None:
    assert all(one != other for one, other in zip(KEY, WRONG, strict=True))
    identity = SingleKey(Secret(KEY))

    def check(shown: str) -> None:
        coroutine = identity.verify(Presented(None, shown))
        try:
            coroutine.send(None)
        except StopIteration:
            return

    # Ten tries: what a noisy moment shows is no leak (0.06 by chance, 0.3 and more for a real one), what every one shows is.
    tries = [separable(measured(check)) for _ in range(10)]
    best = {kind: min(one[kind] for one in tries) for kind in tries[0]}

    # A comparison that stops early tells both; where one text happens to lie tells one.
    assert min(best.values()) < 0.05, tries


def test_a_comparison_that_leaks_would_be_found() -> None:
    """The yardstick itself: character by character, as a loop that stops at the first difference."""

    def check(shown: str) -> bool:
        return all(one == other for one, other in zip(shown, KEY, strict=True))

    found = separable(measured(check))

    assert found["all but the last right"] > 0.3, found
    assert statistics.fmean(found.values()) > 0.2
