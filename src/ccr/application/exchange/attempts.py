"""Opens a reply: target after target, until one has real content or none is left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.exchange.again import Again
from ccr.application.exchange.amend import Amending, NothingLearned
from ccr.application.exchange.commit import Opened, Whole, as_whole, commit
from ccr.application.exchange.live import EventReply
from ccr.application.exchange.mask import mask_error
from ccr.application.exchange.prepare import meaning, prepare_relay, prepare_translation, relays
from ccr.application.exchange.retry import Tries
from ccr.application.exchange.round import checked, one_round
from ccr.application.exchange.watch import Watch
from ccr.domain.errors import GatewayError, UnsupportedError, UpstreamError, UpstreamRejectedError
from ccr.domain.fidelity import Loss
from ccr.domain.record import AttemptRecord
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import RelayedReply
    from ccr.application.exchange.prepare import Prepared
    from ccr.application.exchange.retry import Failover
    from ccr.application.exchange.seams import Adapter, Continuer, Interceptor
    from ccr.application.flow.health import Lease
    from ccr.application.ports.compat import LearnedStore
    from ccr.application.ports.system import Clock
    from ccr.application.ports.upstream import Upstream, UpstreamResponse
    from ccr.domain.access import Principal
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import ModelRef

__all__ = ["Attempts"]


@define(eq=False)
class Attempts:
    """The async driver round the pure plan of ``domain/attempts.py``."""

    upstream: Upstream
    reserve: Callable[[Principal, ModelRef], None]
    failover: Failover
    clock: Clock
    adapters: Sequence[Adapter] = ()
    interceptors: Sequence[Interceptor] = ()
    learned: LearnedStore = field(factory=NothingLearned)
    continuer: Continuer | None = None

    async def run(self, job: Job) -> Opened:
        """Return the first reply with content. Raises the failure that says most when no target is left."""
        amending = job.amending = Amending(self.learned)
        tries = Tries(self.failover, job)
        opened = await self._walk(job, tries, amending)
        if self.continuer is None or not job.armed or not isinstance(opened.reply, EventReply):
            return opened
        again = Again(
            job, opened.target, tries, lambda: self._walk(job, tries, amending, purpose="continuation")
        )
        guarded = self.continuer.guarded(job.request.conversation(), opened.reply, again)
        return evolve(opened, reply=guarded)

    async def _walk(self, job: Job, tries: Tries, amending: Amending, *, purpose: str = "") -> Opened:
        waited = 0.0
        while True:
            began, key = self.clock.monotonic(), ""
            target: Target | None = None
            lease: Lease | None = None
            try:
                target = job.catalog.target(job.plan.current)
                self.reserve(job.call.principal, target.ref)
                target, lease = await tries.claim(target)
                key = lease.key
                opened = await self._attempt(job, target)
                lease.opened()
                status = opened.reply.response.status
                self._note(job, began, waited, key, status=status, purpose=purpose)
                await _kept(opened, amending.succeeded(target))
                tries.served(target, key)
            except GatewayError as error:
                if lease is not None:
                    lease.ended(error)
                error.provider = error.provider or job.plan.current.provider
                self._note(job, began, waited, key, error=error, purpose=purpose)
                waited = await tries.after(error, target, key)
            except BaseException:
                if lease is not None:
                    lease.ended()
                raise
            else:
                return opened

    def _note(
        self,
        job: Job,
        began: float,
        waited: float,
        key: str,
        *,
        status: int = 0,
        error: GatewayError | None = None,
        purpose: str,
    ) -> None:
        ref = job.plan.current
        if error is not None and error.upstream is not None:
            status = error.upstream.status
        record = AttemptRecord(
            ref.provider,
            ref.model,
            status,
            self.clock.monotonic() - began,
            error.kind if error is not None else "",
            purpose,
            key=key,
            waited=waited,
            doubtful=error is not None and error.accepted,
        )
        job.trail.attempts.append(record)

    async def _attempt(self, job: Job, target: Target) -> Opened:
        if relays(job, target):
            prepared = await prepare_relay(job, target)
            return await self._exchange(job, target, prepared)
        conversation, losses = meaning(job, target), tuple[Loss, ...]()
        for adapter in self.adapters:
            if adapter.wants(job, target, conversation):
                conversation, lost = await adapter.adapt(job, target, conversation)
                losses += lost
        for interceptor in self.interceptors:
            if interceptor.wants(job, target, conversation):
                return await self._intercepted(job, target, conversation, losses, interceptor)
        prepared = await prepare_translation(job, target, conversation, losses)
        return await self._exchange(job, target, prepared)

    async def _exchange(self, job: Job, target: Target, prepared: Prepared) -> Opened:
        _noted(job, prepared.losses, relay=prepared.relay)
        async with Watch(job.call.disconnect, total=job.left(target.timeouts.total)) as watch:
            response = await self.upstream.open(prepared.request)
            try:
                watch.limit_idle(target.timeouts.idle)
                reply = await self._committed(job, target, prepared, response, watch)
            except BaseException:
                await response.aclose()
                raise
        if isinstance(reply, Whole):
            # One that came as a stream may have ended before its bytes did.
            await response.aclose()
        return Opened(reply, target, dict(response.headers))

    async def _intercepted(
        self,
        job: Job,
        target: Target,
        conversation: Conversation,
        losses: tuple[Loss, ...],
        interceptor: Interceptor,
    ) -> Opened:
        written: list[Loss] = []
        rounds = _Rounds(self.upstream, job, target, written)

        async with Watch(job.call.disconnect, total=job.left(target.timeouts.total)) as watch:
            reply, lost = await interceptor.open(job, target, conversation, rounds)
            try:
                _noted(job, tuple(dict.fromkeys((*losses, *lost, *written))), relay=False)
                watch.limit_idle(target.timeouts.idle)
                if job.facts.stream:
                    await reply.content(watch)
                    return Opened(reply, target, dict(reply.response.headers))
                whole = await as_whole(reply, watch)
            except BaseException:
                await reply.response.aclose()
                raise
        await reply.response.aclose()
        return Opened(whole, target, dict(reply.response.headers))

    async def _committed(
        self, job: Job, target: Target, prepared: Prepared, response: UpstreamResponse, watch: Watch
    ) -> EventReply | RelayedReply | Whole:
        await checked(target, response)
        try:
            return await commit(job, target, prepared, response, watch)
        except GatewayError as error:
            mask_error(error, target.secrets())
            # It had said yes: a model has worked on this, and somebody may have to pay for it.
            error.accepted = isinstance(error, UpstreamError)
            raise


@define(eq=False)
class _Rounds:
    """:data:`ccr.application.exchange.seams.Round` of one attempt. ``written``: what was lost in writing them."""

    upstream: Upstream
    job: Job
    target: Target
    written: list[Loss]
    _asked: int = field(default=0, init=False)

    async def __call__(self, said: Conversation) -> EventReply:
        """Ask. A complaint about a later round is answered here: what came before has been sent to the client."""
        self._asked += 1
        amending, helped = self.job.amending, False
        while True:
            try:
                reply, lost = await one_round(self.upstream, self.job, self.target, said)
            except UpstreamRejectedError as error:
                if self._asked == 1 or amending is None or not amending.remedy(self.target, error):
                    raise
                helped = True
                continue
            self.written.extend(lost)
            if helped and amending is not None:
                await amending.succeeded(self.target)
            return reply


async def _kept(opened: Opened, work: Awaitable[None]) -> None:
    """Do something while a reply waits; close it if that ends badly."""
    try:
        await work
    except BaseException:
        await opened.reply.response.aclose()
        raise


def _noted(job: Job, losses: tuple[Loss, ...], *, relay: bool) -> None:
    """Remember how the attempt goes. Raises UnsupportedError if the route allows no losses and there are some."""
    job.trail.path = "relay" if relay else "translate"
    job.trail.losses = losses
    if losses and job.decision.exact:
        features = ", ".join(sorted({str(loss) for loss in losses}))
        raise UnsupportedError(
            f"the route asks for exact fidelity, and {job.plan.current} cannot carry: {features}"
        )
