"""A conversation in, events out: the data path for programs that embed the gateway."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

from attrs import define

from ccr.application.call import Call, Disconnect, Operation
from ccr.application.exchange.built import BuiltCall
from ccr.application.exchange.job import Job, is_armed
from ccr.application.exchange.live import EventReply
from ccr.application.exchange.trail import Trail
from ccr.application.exchange.watch import Watch
from ccr.application.flow.queue import caller_of
from ccr.domain.access import LOCAL
from ccr.domain.errors import ClientGoneError, GatewayError, InternalError
from ccr.domain.routing.decide import decide
from ccr.domain.stream import MessageStop, StreamFailed
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.exchange.attempts import Attempts
    from ccr.application.exchange.settle import Settle
    from ccr.application.flow.admission import Admission
    from ccr.application.flow.balance import Balance
    from ccr.application.flow.conditions import Snapshot
    from ccr.application.ports.journal import Tracer
    from ccr.application.ports.system import Clock, NewId
    from ccr.application.tracker import Tracker
    from ccr.domain.access import Principal
    from ccr.domain.conversation import Conversation
    from ccr.domain.stream import StreamEvent

__all__ = ["Converse"]


@define(eq=False)
class Converse:
    """Enters the walk at *decide* and leaves it before the encoder."""

    catalog: CatalogHolder
    admission: Admission
    balance: Balance
    snapshot: Snapshot
    attempts: Attempts
    settle: Settle
    tracer: Tracer
    tracker: Tracker
    clock: Clock
    new_id: NewId

    async def __call__(
        self, conversation: Conversation, principal: Principal | None = None
    ) -> AsyncIterator[StreamEvent]:
        """Yield the events of the reply. Raises the GatewayError that it failed with."""
        parsed = BuiltCall.of(evolve(conversation, stream=True))
        call = self._call(principal or LOCAL)
        trail = Trail(call.request_id, self.clock.now(), call.received, call.principal.id)
        entered = complete = False
        try:
            await self.admission.enter(call)
            entered = True
            job = await self._decided(call, parsed, trail)
            async with aclosing(self._events(job)) as events:
                async for event in events:
                    complete = isinstance(event, MessageStop)
                    yield event
        except GatewayError as error:
            trail.error = error
            raise
        except (GeneratorExit, asyncio.CancelledError):
            if not complete:
                trail.error = ClientGoneError("whoever asked takes no more of the reply")
            raise
        except Exception as error:
            trail.error = InternalError(f"an internal error ended the request ({type(error).__name__})")
            raise
        finally:
            if entered:
                self.admission.leave()
            self.settle(trail)

    def _call(self, principal: Principal) -> Call:
        async def nothing() -> bytes:
            return b""

        return Call(
            operation=Operation.GENERATE,
            dialect="",
            path="",
            headers={},
            principal=principal,
            request_id=self.new_id(),
            load=nothing,
            disconnect=Disconnect(),
            received=self.clock.monotonic(),
        )

    async def _decided(self, call: Call, parsed: BuiltCall, trail: Trail) -> Job:
        catalog = self.catalog.current
        trail.facts, trail.revision = parsed.facts, catalog.revision
        trail.span = self.tracer.start(parsed.facts, call.headers)
        conditions = await self.snapshot(call, parsed, catalog)
        decision = decide(catalog.policy, parsed.facts, conditions)
        decision, plan = self.balance.plan(decision, catalog, parsed.facts, caller_of(call))
        trail.decision = decision
        self.tracker.remember(call.request_id, parsed.facts, decision)
        return Job(
            call, None, catalog, parsed, parsed.facts, decision, plan, trail,
            armed=is_armed(catalog, parsed.facts, decision), routes=conditions.routes,
        )  # fmt: skip

    async def _events(self, job: Job) -> AsyncGenerator[StreamEvent]:
        opened = await self.attempts.run(job)
        reply = opened.reply
        if not isinstance(reply, EventReply):
            raise InternalError("a conversation is never relayed")
        job.let_go()
        job.trail.status = 200
        limits = opened.target.timeouts
        idle = None if reply.times_itself else limits.idle
        try:
            while not reply.finished:
                # The watch covers our own waiting only, never the time that the caller takes between two events.
                async with Watch(job.call.disconnect, idle=idle, total=job.left(limits.total)) as watch:
                    events = await reply.events(watch)
                    while not events and not reply.finished:
                        # Comments of a provider are no progress: they are waited for under the same watch.
                        events = await reply.events(watch)
                for event in events:
                    if isinstance(event, StreamFailed):
                        raise event.error
                    yield event
        finally:
            job.trail.usage, job.trail.repairs = reply.usage, reply.repairs
            await reply.response.aclose()
