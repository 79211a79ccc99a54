from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from attrs import define

from ccr.application.operations.fleet_status import FleetStatus, merged
from tests.support.assembly import assembled

pytestmark = pytest.mark.anyio


def _report(pid: int, **more: object) -> dict[str, Any]:
    return {
        "pid": pid,
        "uptime": 1.0,
        "ready": True,
        "reasons": [],
        "draining": False,
        "runtime": {"tasks": 3, "connections": 1},
        "active_requests": 2,
        "max_in_flight": 100,
        "queued": 1,
        "shed": 0,
        "last_error": "",
        "health": [],
        "revision": "r",
        **more,
    }


def test_what_counts_is_added_up() -> None:
    status = merged(_report(1), [_report(1), _report(2, active_requests=5, shed=7)])

    assert {name: status[name] for name in ("active_requests", "queued", "shed", "max_in_flight")} == {
        "active_requests": 7,
        "queued": 2,
        "shed": 7,
        "max_in_flight": 200,
    }
    assert status["runtime"] == {"tasks": 6, "connections": 2}
    assert [worker["pid"] for worker in status["workers"]] == [1, 2]
    assert status["revision"] == "r"


def test_what_is_wrong_with_one_is_wrong() -> None:
    status = merged(
        _report(1),
        [_report(1), _report(2, ready=False, draining=True, reasons=["draining"], last_error="bad")],
    )

    assert (status["ready"], status["draining"], status["reasons"], status["last_error"]) == (
        False,
        True,
        ["draining"],
        "bad",
    )


def test_a_target_is_shown_as_the_worker_sees_it_to_which_it_looks_worst() -> None:
    closed = {"target": "a,m", "circuit": "closed", "in_flight": 3, "latency": 0.1}
    opened = {
        "target": "a,m",
        "circuit": "open",
        "in_flight": 1,
        "latency": None,
        "retry_in": 4.0,
        "why": "down",
    }
    tired = {**closed, "target": "b,m", "keys_resting": {"k1": 5.0}}
    more = {
        **closed,
        "target": "b,m",
        "keys_resting": {"k1": 9.0, "k2": 1.0},
        "queued": 2,
        "max_in_flight": None,
    }
    status = merged(
        _report(1, health=[closed, tired]),
        [_report(1, health=[closed, tired]), _report(2, health=[opened, more])],
    )

    assert status["health"] == [
        {**opened, "in_flight": 4},
        {**tired, "in_flight": 6, "keys_resting": {"k1": 9.0, "k2": 1.0}},
    ]


async def test_alone_a_worker_speaks_for_itself() -> None:
    @define
    class Nobody:
        async def gather(self, question: str) -> Sequence[Mapping[str, object]]:
            del question
            return []

        async def tell(self, command: str, **arguments: object) -> None: ...

    async with assembled() as bench:
        check = bench.made.container.check_health()
        status = await FleetStatus(Nobody(), check)()

    assert status["active_requests"] == 0
    assert status["workers"] == [
        {
            name: status[name]
            for name in ("uptime", "ready", "draining", "active_requests", "queued", "shed", "max_in_flight")
        }
    ]
