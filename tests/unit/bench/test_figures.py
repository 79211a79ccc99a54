from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def figures(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("figures")


def test_the_median_of_the_rounds_counts_and_an_empty_round_does_not(figures: ModuleType) -> None:
    samples = {
        ("ccr", "small"): [{"cpu_ms": 1.0}, {}, {"cpu_ms": 9.0}, {"cpu_ms": 2.0}],
        ("dead", "small"): [{}, {}],
    }

    assert figures.medians(samples) == {"ccr": {"small": {"cpu_ms": 2.0}}}


def test_a_figure_that_one_round_has_not_is_left_out(figures: ModuleType) -> None:
    samples = {("ccr", "small"): [{"cpu_ms": 1.0, "ttft_p50_ms": 3.0}, {"cpu_ms": 3.0}]}

    assert figures.medians(samples) == {"ccr": {"small": {"cpu_ms": 2.0}}}


def test_figures_stand_beside_the_direct_call_of_their_kind(figures: ModuleType) -> None:
    results = {
        "direct": {"small": {"rate": 1000.0, "cpu_ms": 0.5, "ttft_p50_ms": 0.25}},
        "ccr": {"relay small": {"rate": 100.0, "cpu_ms": 2.0, "ttft_p50_ms": 1.0}},
    }
    figures.compared(results, [("relay small", "small")])

    assert results["ccr"]["relay small"] == {
        "rate": 100.0,
        "cpu_ms": 2.0,
        "ttft_p50_ms": 1.0,
        "rate_of_direct": 0.1,
        "cpu_of_direct": 4.0,
        "added_ttft_ms": 0.75,
    }
    assert results["direct"]["small"] == {"rate": 1000.0, "cpu_ms": 0.5, "ttft_p50_ms": 0.25}
