"""A question of our own to another model, on the way of a request: inside the application, no HTTP to ourselves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define

from ccr.application.exchange.commit import as_whole
from ccr.application.exchange.round import one_round
from ccr.application.exchange.watch import Watch
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.record import AttemptRecord
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.exchange.job import Job
    from ccr.application.ports.upstream import Upstream
    from ccr.domain.access import Principal
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import ModelRef
    from ccr.domain.reply import Reply

__all__ = ["SideCall"]


@define(eq=False)
class SideCall:
    """Asks on behalf of a request's caller: with its rights, on its account, for as long as it waits."""

    upstream: Upstream
    reserve: Callable[[Principal, ModelRef], None]

    def allow(self, job: Job, ref: ModelRef) -> None:
        """Check that the caller may use a model. Raises GatewayError."""
        self.reserve(job.call.principal, ref)

    async def __call__(
        self, job: Job, ref: ModelRef, said: Conversation, *, purpose: str, seconds: float
    ) -> Reply:
        """Return the whole reply; what it cost is added to the request's, and the attempt is recorded with ``purpose``.

        Raises GatewayError, ClientGoneError among them.
        """
        loop = asyncio.get_running_loop()
        began, status, kind = loop.time(), 0, ""
        try:
            self.allow(job, ref)
            status, reply = await self._asked(job, ref, said, seconds)
        except GatewayError as error:
            status = error.upstream.status if error.upstream is not None else 0
            kind = error.kind
            raise
        else:
            return reply
        finally:
            record = AttemptRecord(ref.provider, ref.model, status, loop.time() - began, kind, purpose)
            job.trail.attempts.append(record)

    async def _asked(self, job: Job, ref: ModelRef, said: Conversation, seconds: float) -> tuple[int, Reply]:
        target = job.catalog.target(ref)
        async with Watch(job.call.disconnect, total=seconds) as watch:
            reply, _ = await one_round(self.upstream, _aside(job), target, evolve(said, model=ref.model))
            try:
                whole = await as_whole(reply, watch)
            finally:
                job.trail.side = job.trail.side.plus(reply.usage)
                await reply.response.aclose()
        if whole.reply is None:
            raise UpstreamProtocolError("the provider's reply says nothing")
        return reply.response.status, whole.reply


def _aside(job: Job) -> Job:
    """Return the job as one of our own: not streamed, and without the client's headers, which are not about this."""
    return evolve(job, call=evolve(job.call, headers={}), facts=evolve(job.facts, stream=False), encoder=None)
