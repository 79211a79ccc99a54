from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def targets(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("targets")


def peers(ours: float, ancestor: float, **more: float) -> dict[str, Any]:
    """A run in which each gateway has one case."""
    costs = {"ccr": ours, "ccr 2.0.0": ancestor, **more}
    facts = {
        name: {"language": "Node", "floor": name == "nginx", "counts": name != "quick"} for name in costs
    }
    results = {
        name: {"translate small": {"cpu_ms": cost, "ttft_p50_ms": cost}} for name, cost in costs.items()
    }
    return {"results": results, "gateways": facts, "faults": {}}


def row(targets: ModuleType, start: str, bench: Any, beside: Any) -> Any:
    return next(each for each in targets.rows(bench, beside) if each.workload.startswith(start))


@pytest.mark.parametrize(
    "ours, ancestor, met", [(0.25, 1.5, True), (0.26, 9.0, False), (0.2, 1.1, False), (0.2, 1.25, True)]
)
def test_a_cost_is_met_when_it_is_low_and_the_ancestor_is_left_behind(
    targets: ModuleType, ours: float, ancestor: float, met: bool
) -> None:
    assert row(targets, "1 kB, not", None, peers(ours, ancestor)).met is met


def test_without_the_ancestor_a_low_cost_is_not_yet_met_and_a_high_one_missed(targets: ModuleType) -> None:
    def alone(cost: float) -> dict[str, Any]:
        return {"results": {"ccr": {"translate small": {"cpu_ms": cost}}}}

    assert row(targets, "1 kB, not", alone(0.2), None).met is None
    assert row(targets, "1 kB, not", alone(0.3), None).met is False


def test_what_was_not_measured_is_neither_met_nor_missed(targets: ModuleType) -> None:
    assert {each.met for each in targets.rows({"results": {}}, None)} == {None}
    assert len(targets.rows({"results": {}}, None)) == 15


def test_a_crowd_is_judged_by_who_is_served_how_soon_and_at_what_size(targets: ModuleType) -> None:
    found = {"replies": 5000, "errors": 0, "ttft_p50_ms": 1300.0, "peak_mb": 250.0}

    assert [each.met for each in targets.crowd(found)] == [True, False, True]
    assert [each.met for each in targets.crowd(found | {"errors": 1})] == [False, False, True]


def test_two_workers_may_cost_a_little_more_than_one(targets: ModuleType) -> None:
    results = {
        "ccr": {"translate small": {"cpu_ms": 1.0, "rate": 100.0}},
        "ccr, 2 workers": {"translate small": {"cpu_ms": 1.31, "rate": 150.0}},
    }
    found = targets.workers(results)

    assert [(each.met, each.measured) for each in found] == [(False, "1.31 x; 1.50 x the throughput")]


def test_a_peer_that_is_better_is_named_and_the_floor_is_none(targets: ModuleType) -> None:
    found = targets.better(peers(1.0, 8.0, nginx=0.1, quick=0.5))

    assert found == [
        "quick (Node) in translate small: CPU a request, 0.5 ms beside our 1 ms; it counts no tokens",
        "quick (Node) in translate small: time to first token, 0.5 ms beside our 1 ms; it counts no tokens",
    ]
    assert targets.better(peers(1.0, 8.0, nginx=0.1)) == []


def test_the_nearest_rival_is_told(targets: ModuleType) -> None:
    assert targets.least_lead(peers(1.0, 8.0, nginx=0.1, near=3.0))["cpu_ms"] == (
        3.0,
        "near, translate small",
    )
