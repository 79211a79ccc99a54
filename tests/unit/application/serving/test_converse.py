"""A conversation in, events out, through the whole walk: however it ends, there is one record of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import cast

import pytest

from ccr.adapters.upstream.fake import Pause, Reply
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.errors import DrainingError, UpstreamTimeoutError
from ccr.domain.record import Outcome
from ccr.domain.stream import MessageStop, StreamEvent, TextDelta
from tests.support.assembly import Bench, assembled, openai_chunks, streamed

pytestmark = pytest.mark.anyio

ROUTER = {"default": "oai,m1"}
HELLO = Conversation(model="oai,m1", turns=(Turn(Role.USER, (Text("Hello"),)),))
OK = streamed(openai_chunks("Hi"))


def conversing(bench: Bench) -> AsyncGenerator[StreamEvent]:
    return cast("AsyncGenerator[StreamEvent]", bench.made.container.gateway().converse(HELLO))


async def test_a_reply_to_its_end_is_on_record_as_well() -> None:
    async with assembled(OK, Router=ROUTER) as bench:
        events = [event async for event in conversing(bench)]

        assert isinstance(events[-1], MessageStop)
        assert [record.outcome for record in bench.records.kept] == [Outcome.OK]


async def test_whoever_stops_at_the_last_event_has_had_all_of_it() -> None:
    async with assembled(OK, Router=ROUTER) as bench:
        async with aclosing(conversing(bench)) as events:
            async for event in events:
                if isinstance(event, MessageStop):
                    break

        assert [record.outcome for record in bench.records.kept] == [Outcome.OK]


async def test_whoever_takes_no_more_has_left() -> None:
    async with assembled(OK, Router=ROUTER) as bench:
        async with aclosing(conversing(bench)) as events:
            async for event in events:
                if isinstance(event, TextDelta):
                    break

        assert [record.outcome for record in bench.records.kept] == [Outcome.CLIENT_CLOSED]
        assert bench.made.container.admission().active == 0
        assert bench.upstream.responses[0].closed


async def test_a_refusal_is_on_record() -> None:
    async with assembled(Router=ROUTER) as bench:
        bench.made.container.admission().drain()
        with pytest.raises(DrainingError):
            await anext(conversing(bench))

        assert [record.outcome for record in bench.records.kept] == [Outcome.DRAINED]
        assert bench.made.container.admission().active == 0


async def test_a_fault_of_ours_is_on_record_as_one() -> None:
    async with assembled(ValueError("a bug"), Router=ROUTER) as bench:
        with pytest.raises(ValueError, match="a bug"):
            await anext(conversing(bench))

        assert [record.outcome for record in bench.records.kept] == [Outcome.INTERNAL]


@pytest.mark.parametrize("limit", ["idleMs", "totalMs"])
async def test_comments_of_a_provider_are_no_progress(limit: str) -> None:
    begun = openai_chunks("Hi", finish=None, usage=False)
    comments = [step for _ in range(1000) for step in (Pause(0.005), b": wait\n\n")]
    reply = Reply(headers=OK.headers, chunks=[begun, *comments, asyncio.Event()])
    async with assembled(reply, Router=ROUTER, Timeouts={limit: 50}) as bench:
        with pytest.raises(UpstreamTimeoutError):
            async for _ in conversing(bench):
                pass

        assert [record.outcome for record in bench.records.kept] == [Outcome.TIMEOUT]
