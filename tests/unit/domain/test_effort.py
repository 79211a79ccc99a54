from __future__ import annotations

import pytest

from ccr.domain.conversation import Effort
from ccr.domain.effort import budget_of, clamp, effort_of

GLM = (Effort.LOW, Effort.HIGH, Effort.MAX)


@pytest.mark.parametrize(
    "asked, got",
    [
        (Effort.MINIMAL, Effort.LOW),
        (Effort.LOW, Effort.LOW),
        (Effort.MEDIUM, Effort.HIGH),
        (Effort.XHIGH, Effort.MAX),
        (Effort.MAX, Effort.MAX),
    ],
)
def test_a_level_between_two_is_rounded_up(asked: Effort, got: Effort) -> None:
    assert got is clamp(asked, GLM)


def test_a_level_over_all_is_the_highest() -> None:
    assert Effort.HIGH is clamp(Effort.MAX, (Effort.HIGH, Effort.LOW))


def test_no_levels_no_effort() -> None:
    assert clamp(Effort.HIGH, ()) is None


@pytest.mark.parametrize(
    "budget, effort",
    [
        (0, Effort.LOW),
        (1024, Effort.LOW),
        (4096, Effort.MEDIUM),
        (16384, Effort.HIGH),
        (16385, Effort.XHIGH),
    ],
)
def test_budgets_as_levels(budget: int, effort: Effort) -> None:
    assert effort is effort_of(budget)


def test_levels_as_budgets_rise() -> None:
    budgets = [budget_of(effort) for effort in Effort]
    assert sorted(budgets) == budgets
