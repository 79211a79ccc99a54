from __future__ import annotations

import asyncio

import pytest

from ccr.application.tracker import Tracker
from ccr.domain.routing.decide import decide
from tests.support.routing import facts, policy

pytestmark = pytest.mark.anyio

DECISION = decide(policy(), facts())


async def test_counts_what_is_in_and_waits_for_the_last() -> None:
    tracker = Tracker()
    assert await tracker.idle(0)
    tracker.enter()
    tracker.enter()
    assert (tracker.active, await tracker.idle(0)) == (2, False)
    tracker.leave()
    asyncio.get_running_loop().call_soon(tracker.leave)
    assert await tracker.idle(5)
    assert tracker.active == 0


async def test_remembers_decisions_newest_first_and_forgets_the_oldest() -> None:
    tracker = Tracker(ring=2)
    for name in ("a", "b", "c"):
        tracker.remember(name, facts(), DECISION)
    assert [found.request_id for found in tracker.recent(10)] == ["c", "b"]
    assert tracker.find("a") is None
    found = tracker.find("b")
    assert found is not None
    assert found.decision == DECISION


async def test_a_decision_made_again_is_the_newest() -> None:
    tracker = Tracker(ring=2)
    for name in ("a", "b", "a"):
        tracker.remember(name, facts(), DECISION)
    assert [found.request_id for found in tracker.recent(2)] == ["a", "b"]
