from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest


@pytest.fixture(scope="module")
def capacity(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("capacity")


@pytest.fixture
def costs(capacity: ModuleType) -> dict[str, float]:
    """Round figures, so that a person can compute what is expected."""
    names = capacity.constants()
    return dict.fromkeys(names, 0.0) | {
        "translate_small_ms": 1,
        "translate_big_ms": 2,
        "translate_cold_ms": 10,
        "translate_forgotten_ms": 4,
        "relay_small_ms": 0.5,
        "relay_big_ms": 1,
        "translate_event_us": 100,
        "relay_event_us": 50,
        "translate_burst": 4,
        "relay_burst": 2,
        "start_ms": 1,
        "stream_kb": 1024,
        "parent_mb": 10,
        "worker_mb": 100,
        "memo_kb": 12_000,
        "turn_kb": 2,
        "files_per_stream": 2,
        "max_in_flight": 100,
        "connect_s": 5,
        "log_bytes": 1024,
        "log_keep_mb": 450,
    }


def simple(capacity: ModuleType, **more: float) -> Any:
    """60 agents who ask once a minute, for 100 tokens within ten seconds."""
    given: dict[str, float] = {
        "agents": 60,
        "turns_per_minute": 1,
        "background_per_turn": 0,
        "reply_tokens": 100,
        "tokens_per_second": 20,
        "first_token_s": 5,
        "new_share": 0,
        "hours": 1,
    }
    return capacity.Demand(**(given | more))


def one(capacity: ModuleType, **more: float) -> Any:
    return capacity.Fleet(**({"replicas": 1, "lost": 0, "burst_share": 0} | more))


def test_what_is_asked_for_follows_from_people_and_their_replies(capacity: ModuleType) -> None:
    found = capacity.demanded(
        simple(capacity, background_per_turn=2, background_tokens=20, events_per_token=0.5)
    )

    assert (found["turns"], found["background"], found["requests"]) == (1, 2, 3)
    assert found["streams"] == 1 * 10 + 2 * 6
    assert found["events"] == (100 + 2 * 20) / 2
    assert found["rows_a_day"] == 3 * 3600


def test_nobody_hears_more_than_a_minute_a_minute(capacity: ModuleType) -> None:
    with pytest.raises(ValueError, match=r"takes 10\.0 s"):
        capacity.demanded(simple(capacity, turns_per_minute=7))


def test_a_worker_computes_requests_and_events_and_holds_streams(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    found = capacity.plan(simple(capacity), one(capacity), costs)

    assert found["cores"] == pytest.approx(0.002 + 100 * 100e-6)
    assert found["busy"] == found["cores"]
    assert found["memory_a_replica_mb"] == pytest.approx(10 + 100 + 10)
    assert found["files_a_worker"] == 20
    assert found["log_mb_a_day"] == pytest.approx(3600 / 1024)
    assert found["log_days"] == pytest.approx(450 * 1024 / 3600)


def test_a_worker_without_a_core_of_its_own_is_the_busier(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    two = capacity.plan(simple(capacity), one(capacity, workers=2), costs)
    more = capacity.plan(simple(capacity), one(capacity, cores=4), costs)
    alone = capacity.plan(simple(capacity), one(capacity), costs)

    assert two["busy"] > alone["busy"] * 0.99
    assert more["busy"] == alone["busy"]


def test_a_new_session_costs_what_a_cold_request_does_and_a_forgotten_one_less(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    def turn(**more: float) -> float:
        found: float = capacity.costs(simple(capacity, **more), one(capacity), costs, 1)["turn_ms"]
        return found

    assert turn() == 2
    assert turn(new_share=0.5) == 2 + 8 * 0.5
    assert turn(agents=200) == 2 + 2 * 0.5  # a worker remembers a hundred
    assert turn(agents=200, new_share=0.5) == 2 + 8 * 0.5 + 2 * 0.25
    assert turn(agents=200, translate_share=0) == 1


def test_among_workers_a_session_that_wanders_is_known_in_part(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    wandering = capacity.costs(simple(capacity), one(capacity), costs, 4)
    staying = capacity.costs(simple(capacity), one(capacity, sticky=1), costs, 4)

    assert wandering["known"] == pytest.approx(1 - 2 * 3 * 2 / 120)
    assert (staying["known"], staying["sessions"]) == (1, 15)


def test_who_is_lost_is_missing_and_comes_again_at_once(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    found = capacity.plan(simple(capacity), one(capacity, replicas=2, lost=1), costs)

    assert found["workers"] == 1
    assert found["storm_s"] == pytest.approx(10 / 2 * 10 / 1000)
    with pytest.raises(ValueError, match="nobody is left"):
        capacity.plan(simple(capacity), one(capacity, lost=1), costs)


def test_big_requests_in_one_instant_take_memory(capacity: ModuleType, costs: dict[str, float]) -> None:
    calm = capacity.plan(simple(capacity), one(capacity), costs)
    found = capacity.plan(simple(capacity), one(capacity, burst_share=0.5), costs)

    assert found["memory_a_replica_mb"] - calm["memory_a_replica_mb"] == pytest.approx(30 * 120 * 4 / 1024)


@pytest.mark.parametrize(
    "first, demand, fleet",
    [
        ("processor", {"events_per_token": 20}, {}),
        ("memory", {}, {"memory_mb": 150}),
        ("streams", {}, {"memory_mb": 1e6}),
        ("descriptors", {}, {"memory_mb": 1e6, "files": 40}),
        (
            "a lost replica",
            {"first_token_s": 55},
            {"memory_mb": 1e6, "replicas": 2, "lost": 1, "headroom": 9},
        ),
    ],
)
def test_the_limit_that_is_met_first_is_told_and_the_agents_up_to_there(
    capacity: ModuleType, costs: dict[str, float], first: str, demand: Any, fleet: Any
) -> None:
    if first == "a lost replica":
        costs |= {"max_in_flight": 1e9, "translate_cold_ms": 1000}
    asked, given = (
        simple(capacity, **demand),
        one(capacity, **fleet) if fleet else one(capacity, memory_mb=1e6),
    )
    most = capacity.most_agents(asked, given, costs)

    def used(agents: float) -> dict[str, float]:
        at = replace(asked, agents=agents)
        shares: dict[str, float] = capacity.shares(capacity.plan(at, given, costs), given, costs)
        return shares

    assert max(used(most), key=used(most).__getitem__) == first
    assert used(most)[first] == pytest.approx(1, abs=1e-6)
    assert max(used(most * 1.01).values()) > 1


def test_the_fewest_replicas_are_found_or_there_are_none(
    capacity: ModuleType, costs: dict[str, float]
) -> None:
    asked, fleet = simple(capacity, agents=1500), one(capacity, memory_mb=1e6, lost=1)
    needed = capacity.replicas_needed(asked, fleet, costs)

    assert capacity.fits(asked, replace(fleet, replicas=needed), costs)
    assert not capacity.fits(asked, replace(fleet, replicas=needed - 1), costs)
    assert capacity.replicas_needed(asked, replace(fleet, memory_mb=50), costs) == 0


def test_the_command_line_tells_the_same(capacity: ModuleType, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr("sys.argv", ["capacity.py", "--agents", "300", "--replicas", "3"])
    assert capacity.main() == 0
    said = capsys.readouterr().out

    found = capacity.most_agents(
        capacity.Demand(agents=300), capacity.Fleet(replicas=3), capacity.constants()
    )
    assert f"carries {found:.0f} agents" in said

    monkeypatch.setattr("sys.argv", ["capacity.py", "--replicas", "1"])
    assert capacity.main() == 2


def test_options_are_the_inputs(capacity: ModuleType) -> None:
    options: argparse.Namespace = capacity.arguments(["--tokens-per-second", "33"])

    assert capacity.chosen(capacity.Demand, options) == capacity.Demand(tokens_per_second=33)
    assert capacity.chosen(capacity.Fleet, options) == capacity.Fleet()
