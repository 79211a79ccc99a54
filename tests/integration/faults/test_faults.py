"""Every fault of the catalogue against a real gateway, over real sockets: each is acted out once, then judged by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.faulty.catalogue import FAULTS
from tests.support.faulty.run import KEY, Case, Ran, cases, run, verdict

CASES = cases()


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    folder: Path = tmp_path_factory.mktemp("faults")
    return asyncio.run(run(CASES, folder))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_fault_ends_as_it_should(ran: Ran, case: Case) -> None:
    assert verdict(case, ran.seen[str(case)]) == []


def test_there_are_at_least_a_hundred() -> None:
    assert len(FAULTS) >= 100


def test_afterwards_nothing_is_left_open(ran: Ran) -> None:
    after = ran.aftermath

    assert after.active == 0
    assert after.tasks["connections"] == after.tasks["idle_connections"]
    assert after.tasks["tasks"] < 20
    # The client keeps connections of its own for the next request; so do we.
    assert after.after <= after.before + 24 + after.tasks["idle_connections"] + 5


def test_afterwards_healthy_streams_go_well(ran: Ran) -> None:
    assert [seen.is_ok for seen in ran.aftermath.healthy] == [True] * 12


def test_no_redirect_was_followed(ran: Ran) -> None:
    assert ran.aftermath.canary == 0


def test_no_key_stands_in_a_log(ran: Ran) -> None:
    assert "healthy" in ran.aftermath.log
    assert KEY not in ran.aftermath.log
