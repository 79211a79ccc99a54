from __future__ import annotations

import asyncio

import pytest
from attrs import evolve

from ccr.application.call import Call
from ccr.application.flow.admission import Admission
from ccr.application.settings import LimitSettings
from ccr.application.tracker import Tracker
from ccr.domain.errors import ClientGoneError, DrainingError, OverloadedError
from tests.support.routing import call

pytestmark = pytest.mark.anyio


def admitting(limit: int = 2, patience: float = 0.0, queued: int = 10) -> Admission:
    admission = Admission(Tracker())
    admission.configure(LimitSettings(max_in_flight=limit, queue=patience, max_queued=queued))
    return admission


async def turns() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


def unread() -> tuple[Call, list[str]]:
    read: list[str] = []

    async def load() -> bytes:
        read.append("body")
        return b"{}"

    return evolve(call(), load=load, body=None), read


async def test_requests_are_counted_in_and_out() -> None:
    admission = admitting()
    await admission.enter(call())
    await admission.enter(call())
    admission.leave()

    assert admission.active == 1


async def test_a_draining_gateway_takes_nothing_new_and_says_when_to_come_again() -> None:
    admission = admitting()
    await admission.enter(call())
    admission.drain()

    with pytest.raises(DrainingError) as caught:
        await admission.enter(call())

    assert caught.value.retry_after == 5.0
    assert admission.active == 1


async def test_one_too_many_is_refused_unread_and_told_when_to_come_again() -> None:
    admission = admitting(limit=1)
    await admission.enter(call())
    asked, read = unread()

    with pytest.raises(OverloadedError) as caught:
        await admission.enter(asked)

    assert (caught.value.retry_after, read, admission.shed, admission.active) == (2.0, [], 1, 1)
    admission.leave()
    await admission.enter(asked)


async def test_who_waits_has_the_place_of_the_first_who_leaves() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    asked, read = unread()
    waiting = asyncio.ensure_future(admission.enter(asked))
    await turns()
    assert (read, admission.slots.queued) == (["body"], 1)

    admission.leave()
    await waiting

    assert (admission.active, admission.slots.used, admission.slots.queued) == (1, 1, 0)


async def test_a_full_queue_refuses_at_once() -> None:
    admission = admitting(limit=1, patience=60.0, queued=0)
    await admission.enter(call())

    with pytest.raises(OverloadedError):
        await admission.enter(call())


async def test_main_turns_overtake_subagents_and_these_the_rest() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    order: list[str] = []

    async def enter(name: str, **headers: str) -> None:
        await admission.enter(call(b"{}", **headers))
        order.append(name)

    tasks = [
        asyncio.ensure_future(enter("auxiliary", x_claude_code_request_class="auxiliary")),
        asyncio.ensure_future(enter("agent", x_claude_code_agent_id="a1")),
        asyncio.ensure_future(enter("workflow", x_claude_code_request_class="workflow")),
        asyncio.ensure_future(enter("main")),
    ]
    await turns()
    for _ in tasks:
        admission.leave()
        await turns()

    assert order == ["main", "agent", "workflow", "auxiliary"]
    assert all(task.done() for task in tasks)


async def test_sessions_take_turns() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    order: list[str] = []

    async def enter(session: str) -> None:
        await admission.enter(call(x_claude_code_session_id=session))
        order.append(session)

    tasks = [asyncio.ensure_future(enter(session)) for session in ("a", "a", "a", "b")]
    await turns()
    for _ in tasks:
        admission.leave()
        await turns()

    assert order == ["a", "b", "a", "a"]


async def test_who_left_while_waiting_takes_no_place() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    asked = call()
    waiting = asyncio.ensure_future(admission.enter(asked))
    await turns()
    asked.disconnect.set()
    admission.leave()

    with pytest.raises(ClientGoneError):
        await waiting
    assert (admission.active, admission.slots.used) == (0, 0)


async def test_who_leaves_the_queue_does_not_wait_for_its_turn() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    asked = call()
    waiting = asyncio.ensure_future(admission.enter(asked))
    await turns()
    asked.disconnect.set()

    with pytest.raises(ClientGoneError):
        await waiting
    assert (admission.active, admission.slots.used, admission.slots.queued, admission.shed) == (1, 1, 0, 0)


async def test_who_is_cancelled_while_waiting_takes_no_place() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    waiting = asyncio.ensure_future(admission.enter(call()))
    await turns()
    waiting.cancel()
    await turns()

    assert admission.slots.queued == 0
    admission.leave()
    assert admission.slots.used == 0


async def test_a_raised_limit_lets_those_in_who_wait() -> None:
    admission = admitting(limit=1, patience=60.0)
    await admission.enter(call())
    waiting = asyncio.ensure_future(admission.enter(call()))
    await turns()

    admission.configure(LimitSettings(max_in_flight=2, queue=60.0))
    await waiting

    assert admission.active == 2
