from __future__ import annotations

from collections.abc import Callable
from random import Random
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def capacity(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("capacity")


@pytest.fixture(scope="module")
def sim(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("capacity_sim")


def test_a_loop_without_events_waits_as_queueing_theory_says(sim: ModuleType) -> None:
    """Pollaczek and Khinchine: pieces of one size, mean wait = busy * size / (2 (1 - busy)); here twice, at its start and at its event."""
    kind = sim.Kind(per_second=70, start_s=0.01, events=1, event_s=0.0, first_token_s=1.0, gap_s=1.0)
    random = Random(3)
    arrivals = sim.poisson([kind], 1.0, random, 3000)

    added = sim.serve(arrivals, random, 3000).added
    assert sum(added) / len(added) - 0.01 == pytest.approx(2 * 0.7 * 0.01 / (2 * 0.3), rel=0.05)


def test_all_work_is_done_and_in_its_order(sim: ModuleType) -> None:
    kind = sim.Kind(per_second=1, start_s=2.0, events=3, event_s=0.5, first_token_s=1.0, gap_s=10.0)

    seen = sim.serve(iter([(0.0, kind), (0.5, kind)]), Random(1), 1000)
    # The first one starts at 0 and is done at 2; its event comes at 3 and waits until the second has started, at 4.
    assert seen.begun == [4.5, 5.5]
    assert seen.added == [2 + 1.5, 3.5 + 0.5]
    assert seen.worked == 2 * 2 + 6 * 0.5


def test_a_busier_worker_makes_wait_longer_and_a_burst_more_so(
    capacity: ModuleType, sim: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sim, "SECONDS", 60.0)
    mix = sim.kinds(capacity.Demand(events_per_token=0.1), capacity.constants())

    calm, busy = (sim.quantile(sim.waiting(mix, load, 1).added, 0.99) for load in (0.2, 0.9))
    assert busy > 2 * calm
    few, many = (sim.burst(mix, 0.5, extra, 1) for extra in (20, 200))
    assert few[0] < many[0]
    assert few[1] < many[1]
    assert sim.waiting(mix, 0.5, 1).added == sim.waiting(mix, 0.5, 1).added


def test_a_crowd_begins_together(capacity: ModuleType, sim: ModuleType) -> None:
    """Nobody's first event comes before all have started: what was measured of crowds looks the same."""
    half, whole = sim.crowd(1000, capacity.constants() | {"start_ms": 1.0})

    assert whole == pytest.approx(1000 * 1e-3)
    assert 0.9 < half / whole < 1


def test_the_knee_is_before_the_first_that_waits_too_long(sim: ModuleType) -> None:
    seen = {0.5: sim.Seen(added=[0.01]), 0.7: sim.Seen(added=[0.3]), 0.9: sim.Seen(added=[0.02])}

    assert sim.knee(seen) == 0.5


def test_what_is_simulated_is_told(
    capacity: ModuleType, sim: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"SECONDS": 22.0, "LIVES": 1, "BUSY": (0.3,), "BUSY_IN_BURSTS": (0.3,)}.items():
        monkeypatch.setattr(sim, name, value)

    said = sim.told(capacity.Demand(), capacity.constants(), 1)
    assert all(title in said for title in sim.WHAT.values())
    assert said.count("30%") >= 2
