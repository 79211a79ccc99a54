"""Opens a reply: target after target, until one has real content or none is left."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, frozen

from ccr.application.exchange.commit import Whole, commit
from ccr.application.exchange.mask import mask_body, mask_error
from ccr.application.exchange.prepare import prepare
from ccr.application.exchange.watch import Watch
from ccr.domain.attempts import Step, next_step
from ccr.domain.errors import (
    CallError,
    ContextOverflowError,
    GatewayError,
    UnsupportedError,
    UpstreamProtocolError,
)
from ccr.domain.record import AttemptRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import EventReply, RelayedReply
    from ccr.application.exchange.prepare import Prepared
    from ccr.application.ports.upstream import Upstream, UpstreamResponse
    from ccr.domain.access import Principal
    from ccr.domain.models import ModelRef

__all__ = ["Attempts", "Opened"]

_MAX_ERROR_BODY = 1024 * 1024
_FIRST_ERROR_STATUS = 400
_FIRST_NOT_OK = 300
_TRY_ELSEWHERE = (ContextOverflowError, UnsupportedError)


@frozen(eq=False)
class Opened:
    """A reply that has begun, and the target that gives it. ``headers`` are the provider's, lower-case names."""

    reply: EventReply | RelayedReply | Whole
    target: Target
    headers: dict[str, str]


@define(eq=False)
class Attempts:
    """The async driver round the pure plan of ``domain/attempts.py``."""

    upstream: Upstream
    reserve: Callable[[Principal, ModelRef], None]

    async def run(self, job: Job) -> Opened:
        """Return the first reply with content. Raises the last failure when no target is left."""
        loop = asyncio.get_running_loop()
        while True:
            ref, began = job.plan.current, loop.time()
            status = 0
            try:
                target = job.catalog.target(ref)
                self.reserve(job.call.principal, ref)
                opened = await self._attempt(job, target)
            except GatewayError as error:
                status = error.upstream.status if error.upstream is not None else 0
                error.provider = error.provider or ref.provider
                job.trail.attempts.append(
                    AttemptRecord(ref.provider, ref.model, status, loop.time() - began, error.kind)
                )
                step, job.plan = next_step(job.plan, error)
                if step is Step.STOP or (
                    isinstance(error, CallError) and not isinstance(error, _TRY_ELSEWHERE)
                ):
                    raise
                continue
            job.trail.attempts.append(
                AttemptRecord(ref.provider, ref.model, opened.reply.response.status, loop.time() - began)
            )
            return opened

    async def _attempt(self, job: Job, target: Target) -> Opened:
        prepared = await prepare(job, target)
        job.trail.path = "relay" if prepared.relay else "translate"
        job.trail.losses = prepared.losses
        timeouts = target.timeouts
        async with Watch(job.call.disconnect, total=timeouts.total) as watch:
            response = await self.upstream.open(prepared.request)
            try:
                watch.limit_idle(timeouts.idle)
                reply = await self._committed(job, target, prepared, response, watch)
            except BaseException:
                await response.aclose()
                raise
        return Opened(reply, target, dict(response.headers))

    async def _committed(
        self, job: Job, target: Target, prepared: Prepared, response: UpstreamResponse, watch: Watch
    ) -> EventReply | RelayedReply | Whole:
        status = response.status
        if status >= _FIRST_ERROR_STATUS:
            body = mask_body(await response.read(_MAX_ERROR_BODY), target.credential.secrets())
            raise target.dialect.decode_error(status, response.headers, body, provider=target.ref.provider)
        if status >= _FIRST_NOT_OK:
            raise UpstreamProtocolError(
                f"the provider answered with a redirect ({status}), which is not followed"
            )
        try:
            return await commit(job, target, prepared, response, watch)
        except GatewayError as error:
            mask_error(error, target.credential.secrets())
            raise
