"""Asks for the rest of a reply that was cut: the same walk over targets, with all that bounds it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.exchange.built import BuiltCall
from ccr.application.exchange.live import EventReply
from ccr.domain.attempts import further
from ccr.domain.errors import InternalError
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.commit import Opened
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.retry import Tries
    from ccr.domain.conversation import Conversation
    from ccr.domain.errors import GatewayError

__all__ = ["Again"]


@define(eq=False)
class Again:
    """:class:`ccr.application.exchange.seams.Further` of one request, owned by its task."""

    job: Job
    target: Target
    _tries: Tries
    _walk: Callable[[], Awaitable[Opened]]
    _at: int = field(init=False)
    """Where the reply under way stands among the attempts."""

    def __attrs_post_init__(self) -> None:
        self._at = len(self.job.trail.attempts) - 1

    @property
    def idle(self) -> float | None:
        """Seconds without news after which the target under way is given up."""
        return self.target.timeouts.idle

    def cut(self, error: GatewayError) -> None:
        """Write down that the reply under way has failed, and give its place back."""
        trail = self.job.trail
        if trail.lease is not None:
            trail.lease.ended(error)
        trail.attempts[self._at] = evolve(trail.attempts[self._at], error=error.kind, doubtful=True)

    async def __call__(self, said: Conversation, error: GatewayError) -> EventReply:
        """Ask whoever may go on. Raises ``error`` if nobody may, else what the last of them failed with."""
        job, tries = self.job, self._tries
        plan = further(job.plan, error, may_retry=tries.shared.budget.allows)
        if plan is None:
            raise error
        if plan.current == job.plan.current:
            tries.shared.budget.spend()
        tries.go_on()
        lost = job.trail.losses
        job.plan, job.parsed = plan, BuiltCall(said, job.facts, foreign=True)
        try:
            opened = await self._walk()
        finally:
            job.let_go()
            job.trail.losses = tuple(dict.fromkeys((*lost, *job.trail.losses)))
        if not isinstance(opened.reply, EventReply):
            await opened.reply.response.aclose()
            raise InternalError("the rest of a reply is never relayed")
        self.target, self._at = opened.target, len(job.trail.attempts) - 1
        return opened.reply
