"""The walk of one request: gate, read, decide, reserve, attempt, relay, settle."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.call import Answer, Call, Write
from ccr.application.exchange.commit import Opened, Whole
from ccr.application.exchange.job import Job, is_armed
from ccr.application.exchange.relay import relay, wait_and_relay
from ccr.application.exchange.trail import Trail
from ccr.application.flow.queue import caller_of
from ccr.application.flow.turnstile import Turnstile
from ccr.application.serving.replies import decision_headers, json_headers, provider_headers, stream_headers
from ccr.domain.errors import ClientGoneError, DrainingError, GatewayError, InternalError
from ccr.domain.routing.decide import decide
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.exchange.attempts import Attempts
    from ccr.application.exchange.settle import Settle
    from ccr.application.flow.admission import Admission
    from ccr.application.flow.balance import Balance
    from ccr.application.flow.conditions import Snapshot
    from ccr.application.ports.dialect import ClientDialect, StreamEncoder
    from ccr.application.ports.journal import Tracer
    from ccr.application.ports.system import Clock
    from ccr.application.tracker import Tracker

__all__ = ["HandleCall"]


@define(eq=False)
class HandleCall:
    """Answers a call for a generation. Whatever happens is an Answer in the caller's dialect."""

    catalog: CatalogHolder
    admission: Admission
    balance: Balance
    snapshot: Snapshot
    attempts: Attempts
    settle: Settle
    tracer: Tracer
    tracker: Tracker
    clock: Clock
    turnstile: Turnstile = field(factory=Turnstile)

    async def __call__(self, call: Call) -> Answer:
        """Walk. Raises ClientGoneError when there is nobody to answer; never any other GatewayError."""
        catalog = self.catalog.current
        client = catalog.clients[call.dialect]
        trail = Trail(
            call.request_id, self.clock.now(), call.received, call.principal.id, revision=catalog.revision
        )
        entered = False
        try:
            await self.admission.enter(call)
            entered = True
            if not self.turnstile.passed():
                await self.turnstile.wait()
            job = await self._decided(call, client, trail)
            answer = await self._answer(job, client)
        except GatewayError as error:
            trail.error = error
            answer = self._refusal(error, client, trail)
        except BaseException as error:
            trail.error = _ended_by(error, call)
            self._end(trail, entered=entered)
            raise
        trail.status = answer.status
        if answer.relay is None:
            self._end(trail, entered=entered)
            if isinstance(trail.error, ClientGoneError):
                raise trail.error
        return answer

    def _end(self, trail: Trail, *, entered: bool) -> None:
        if entered and not trail.settled:
            self.admission.leave()
        self.settle(trail)

    async def _decided(self, call: Call, client: ClientDialect, trail: Trail) -> Job:
        body = await call.read()
        trail.bytes_in = len(body)
        parsed = client.read(call)
        catalog = self.catalog.current
        trail.facts, trail.revision = parsed.facts, catalog.revision
        trail.span = self.tracer.start(parsed.facts, call.headers)
        conditions = await self.snapshot(call, parsed, catalog)
        decision = decide(catalog.policy, parsed.facts, conditions)
        decision, plan = self.balance.plan(decision, catalog, parsed.facts, caller_of(call))
        trail.decision = decision
        self.tracker.remember(call.request_id, parsed.facts, decision)
        echo, routes = parsed.echo, conditions.routes
        armed = is_armed(catalog, parsed.facts, decision)
        return Job(
            call, client, catalog, parsed, parsed.facts, decision, plan, trail,
            echo=echo, armed=armed, routes=routes,
        )  # fmt: skip

    async def _answer(self, job: Job, client: ClientDialect) -> Answer:
        if not job.facts.stream:
            return self._whole(job, client, await self.attempts.run(job))
        encoder = client.stream_encoder(job.facts, job.echo)
        head = asyncio.get_running_loop().create_task(self.attempts.run(job))
        try:
            await asyncio.wait({head}, timeout=job.catalog.settings.timeouts.commit_after)
        except BaseException:
            await _cancelled(head)
            raise
        if head.done():
            opened = head.result()
            headers = stream_headers(job, encoder) + provider_headers(opened.headers)
            return self._streamed(
                job,
                encoder,
                headers,
                lambda write: relay(job, opened, write, encoder),
                lambda: _closed(opened),
            )
        return self._early(job, head, encoder)

    def _early(self, job: Job, head: asyncio.Task[Opened], encoder: StreamEncoder) -> Answer:
        """Answer 200 without content; the relay goes on waiting for it."""
        return self._streamed(
            job,
            encoder,
            stream_headers(job, encoder),
            lambda write: wait_and_relay(job, head, write, encoder),
            lambda: _cancelled(head),
        )

    def _streamed(
        self,
        job: Job,
        encoder: StreamEncoder,
        headers: tuple[tuple[str, str], ...],
        carry: Callable[[Write], Awaitable[None]],
        give_up: Callable[[], Awaitable[None]],
    ) -> Answer:
        trail = job.trail

        async def carried(write: Write) -> None:
            try:
                await carry(write)
            except GatewayError as error:
                trail.error = error
            except BaseException as error:
                ending = trail.error = trail.error or _ended_by(error, job.call)
                if isinstance(ending, InternalError):
                    await write(encoder.feed([StreamFailed(ending)]))
                raise
            finally:
                self._end(trail, entered=True)

        async def unused() -> None:
            trail.error = trail.error or ClientGoneError("the client left before the reply began")
            self._end(trail, entered=True)
            await give_up()

        return Answer(200, headers, relay=carried, close=unused)

    def _whole(self, job: Job, client: ClientDialect, opened: Opened) -> Answer:
        whole = opened.reply
        if not isinstance(whole, Whole):
            raise InternalError("a whole reply was asked for")
        job.trail.usage, job.trail.repairs = whole.usage, whole.repairs
        body = whole.body if whole.reply is None else client.write_reply(whole.reply, job.facts, job.echo)
        job.trail.bytes_out = len(body)
        job.trail.first_byte = self.clock.monotonic() - job.trail.began
        return Answer(200, json_headers(job) + provider_headers(opened.headers), body=body)

    def _refusal(self, error: GatewayError, client: ClientDialect, trail: Trail) -> Answer:
        status, headers, body = client.encode_error(error, trail.id)
        return Answer(status, headers + decision_headers(trail)[1:], body=body)


def _ended_by(error: BaseException, call: Call) -> GatewayError:
    if isinstance(error, asyncio.CancelledError):
        gone = call.disconnect.gone
        return ClientGoneError("the client left") if gone else DrainingError("the gateway is stopping")
    return InternalError(f"an internal error ended the request ({type(error).__name__})")


async def _cancelled(head: asyncio.Task[Opened]) -> None:
    """End the attempt, and give its connection back if it had succeeded meanwhile."""
    head.cancel()
    await asyncio.wait({head})
    if not head.cancelled() and head.exception() is None:
        await _closed(head.result())


async def _closed(opened: Opened) -> None:
    await opened.reply.response.aclose()
