from __future__ import annotations

import asyncio

import pytest
from attrs import define

from ccr.application.contained import Faults
from ccr.application.counting import Counting
from ccr.application.flow.conditions import Snapshot
from ccr.application.ports.routing import SessionRouter
from ccr.domain.routing.conditions import Conditions
from ccr.domain.routing.decide import decide
from ccr.domain.routing.policy import Routes
from tests.support.routing import (
    BIG,
    FAST,
    MAIN,
    FakeCounter,
    FakeParsed,
    FakeRouter,
    call,
    catalog,
    facts,
    policy,
    session,
)

pytestmark = pytest.mark.anyio

LONG = policy(Routes(default=MAIN, long_context=BIG, threshold=60_000))


@define
class FakeSessions:
    found: SessionRouter | None = None
    error: Exception | None = None
    asked: int = 0

    def may_find(self, session: str) -> bool:
        return bool(session)

    async def find(self, session: str) -> SessionRouter | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.found


async def test_a_request_far_from_every_limit_is_not_counted() -> None:
    counter = FakeCounter()
    seen = await Snapshot(Counting(counter))(call(), FakeParsed(facts(text_size=50_000)), catalog(LONG))
    assert seen == Conditions(low=5_000, high=50_000)
    assert counter.asked == 0


async def test_an_estimate_that_straddles_is_counted_exactly() -> None:
    counter = FakeCounter(tokens=61_000)
    seen = await Snapshot(Counting(counter))(call(), FakeParsed(facts(text_size=200_000)), catalog(LONG))
    assert seen == Conditions(low=61_000, high=61_000, counted=True)
    assert decide(LONG, facts(), seen).scenario == "longContext"


async def test_a_count_that_fails_leaves_the_bounds_and_the_reason() -> None:
    counter = FakeCounter(error=OSError("no vocabulary"))
    seen = await Snapshot(Counting(counter))(call(), FakeParsed(facts(text_size=200_000)), catalog(LONG))
    assert seen == Conditions(low=20_000, high=200_000, tokens_error="OSError: no vocabulary")
    assert decide(LONG, facts(), seen).scenario == "default"


async def test_a_custom_router_is_asked_with_the_configuration() -> None:
    router = FakeRouter("main,fast")
    seen = await Snapshot(Counting(FakeCounter()))(call(), FakeParsed(facts()), catalog(policy(), router))
    assert (seen.custom_asked, seen.custom_answer, router.config) == (True, "main,fast", {"PORT": 3456})


async def test_a_custom_router_is_not_asked_about_an_explicit_choice_unless_it_comes_first() -> None:
    router = FakeRouter("main,fast")
    snapshot, parsed = Snapshot(Counting(FakeCounter())), FakeParsed(facts("main,gpt"))
    assert not (await snapshot(call(), parsed, catalog(policy(), router))).custom_asked
    assert (await snapshot(call(), parsed, catalog(policy(custom_first=True), router))).custom_asked
    assert router.asked == 1


async def test_a_custom_router_that_fails_is_counted_told_and_passed_over() -> None:
    told: list[str] = []
    faults = Faults(lambda place, error: told.append(f"{place}: {error}"))
    snapshot = Snapshot(Counting(FakeCounter()), faults=faults)
    router = FakeRouter(error=ValueError("boom"))
    seen = await snapshot(call(), FakeParsed(facts()), catalog(policy(), router))
    assert (seen.custom_asked, seen.custom_answer, seen.custom_error) == (True, None, "ValueError: boom")
    assert told == ["custom router: boom"]
    assert decide(policy(), facts(), seen).target == MAIN


async def test_a_custom_router_that_takes_too_long_is_passed_over() -> None:
    class Slow(FakeRouter):
        async def route(self, *_: object) -> str | None:
            await asyncio.Event().wait()
            return None

    seen = await Snapshot(Counting(FakeCounter()))(
        call(), FakeParsed(facts()), catalog(policy(), Slow(), timeout=0.01)
    )
    assert seen.custom_error == "it took too long"


async def test_targets_that_do_not_exist_are_told() -> None:
    faults = Faults()
    snapshot = Snapshot(Counting(FakeCounter()), faults=faults)
    parsed = FakeParsed(facts(subagent_tag="no,where"))
    seen = await snapshot(call(), parsed, catalog(policy(), FakeRouter("no,where")))
    assert faults.counts == {"custom router": 1, "subagent tag": 1}
    assert decide(policy(), parsed.facts, seen).target == MAIN


async def test_a_sessions_router_replaces_the_routes() -> None:
    sessions = FakeSessions(SessionRouter("project", {"default": "main,fast"}))
    snapshot = Snapshot(Counting(FakeCounter()), sessions)
    parsed = FakeParsed(facts(session=session("s1")))
    seen = await snapshot(call(), parsed, catalog(policy()))
    assert (seen.routes, seen.routes_from) == (Routes(default=FAST), "project")


@pytest.mark.parametrize("found", [None, SessionRouter("session", {"default": "no,where"})])
async def test_a_session_without_a_usable_router_uses_the_global_one(found: SessionRouter | None) -> None:
    faults = Faults()
    snapshot = Snapshot(Counting(FakeCounter()), FakeSessions(found), faults)
    parsed = FakeParsed(facts(session=session("s1")))
    seen = await snapshot(call(), parsed, catalog(policy()))
    assert decide(policy(), parsed.facts, seen).target == MAIN
    assert ("no,where" in seen.routes_error, faults.counts["session router"]) == (
        found is not None,
        int(found is not None),
    )


async def test_a_broken_router_file_is_told_and_passed_over() -> None:
    faults = Faults()
    snapshot = Snapshot(Counting(FakeCounter()), FakeSessions(error=ValueError("config.json: junk")), faults)
    seen = await snapshot(call(), FakeParsed(facts(session=session("s1"))), catalog(policy()))
    assert (seen.routes, seen.routes_error) == (None, "ValueError: config.json: junk")
    assert faults.counts == {"session router": 1}


async def test_session_routers_can_be_switched_off() -> None:
    sessions = FakeSessions()
    parsed = FakeParsed(facts(session=session("s1")))
    await Snapshot(Counting(FakeCounter()), sessions)(call(), parsed, catalog(policy(session_routers=False)))
    await Snapshot(Counting(FakeCounter()), sessions)(call(), FakeParsed(facts()), catalog(policy()))
    assert sessions.asked == 0
