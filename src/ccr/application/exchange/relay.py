"""Carries a reply to the client: chunk in, bytes out, back-pressure by awaiting each write."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ccr.application.exchange.live import EventReply
from ccr.application.exchange.watch import Watch
from ccr.domain.errors import ClientGoneError, DrainingError, GatewayError
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ccr.application.call import Write
    from ccr.application.exchange.commit import Opened
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import RelayedReply
    from ccr.application.ports.dialect import StreamEncoder
    from ccr.application.ports.upstream import UpstreamResponse

__all__ = ["COMMENT", "Outlet", "relay", "wait_and_relay"]

COMMENT = b": keep-alive\n\n"
"""An SSE comment: bytes for the client's patience, nothing for its parser (WHATWG HTML 9.2.6)."""

_FRAME_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")
_EVENT_STREAM = "text/event-stream"
_AFTER_END = 1.0
"""Seconds that a provider gets to close its stream after the reply has ended; then its connection is closed."""


class Outlet:
    """Writes to the client, one write at a time, and keeps it waiting in silence."""

    def __init__(self, write: Write, job: Job, keep_alive: Callable[[], bytes]) -> None:
        self._write = write
        self._trail = job.trail
        self._keep_alive = keep_alive
        self._ping: asyncio.Task[None] | None = None
        self._at_boundary = True
        self.watch: Watch | None = None

    async def send(self, data: bytes) -> None:
        """Write bytes; a keep-alive under way goes first."""
        if self._ping is not None:
            await self._ping
            self._ping = None
        if data:
            await self._put(data)

    async def _put(self, data: bytes) -> None:
        watch = self.watch
        if watch is not None:
            watch.paused = True
        await self._write(data)
        self._at_boundary = data.endswith(_FRAME_ENDS)
        self._trail.bytes_out += len(data)
        if watch is not None:
            watch.paused = False
            watch.spoke()

    def quiet(self) -> None:
        """The client has heard nothing for a while; between two events it gets a keep-alive."""
        if self._at_boundary and (self._ping is None or self._ping.done()):
            self._ping = asyncio.get_running_loop().create_task(self._put(self._keep_alive()))

    async def aclose(self) -> None:
        """Wait for a keep-alive under way."""
        if self._ping is not None:
            await asyncio.wait({self._ping})


async def wait_and_relay(job: Job, head: asyncio.Task[Opened], write: Write, encoder: StreamEncoder) -> None:
    """The status has been sent before there was content: keep the client waiting, then relay.

    On the relay path only comments are sent, so that message_start stays the provider's own.
    """
    if job.trail.path != "relay":
        job.encoder = encoder
    outlet = Outlet(write, job, lambda: COMMENT)
    pause = job.catalog.settings.timeouts.keep_alive
    try:
        while not head.done():
            await outlet.send(COMMENT if job.encoder is None else encoder.keep_alive())
            await asyncio.wait({head}, timeout=pause)
        try:
            opened = head.result()
        except ClientGoneError:
            raise
        except GatewayError as error:
            job.trail.error = error
            await outlet.send(encoder.feed([StreamFailed(error)]))
            return
    except BaseException as error:
        if not head.done():
            head.cancel()
            await asyncio.wait({head})
        if not head.cancelled() and head.exception() is None:
            await head.result().reply.response.aclose()
        if isinstance(error, asyncio.CancelledError) and not job.call.disconnect.gone:
            # As when the server's patience ends in the middle of a reply.
            job.trail.error = DrainingError("the gateway is stopping")
            await outlet.send(encoder.feed([StreamFailed(job.trail.error)]))
        raise
    await relay(job, opened, write, encoder)


async def relay(job: Job, opened: Opened, write: Write, encoder: StreamEncoder) -> None:
    """Carry the reply to its end. Failures of the provider end in one error event; ClientGoneError is raised."""
    job.let_go()
    reply = opened.reply
    outlet = Outlet(write, job, encoder.keep_alive if isinstance(reply, EventReply) else _comment)
    limits = job.catalog.settings.timeouts
    is_whole = False
    try:
        async with Watch(
            job.call.disconnect,
            idle=None if _times_itself(reply) else opened.target.timeouts.idle,
            total=job.left(opened.target.timeouts.total),
            quiet=limits.keep_alive,
            on_quiet=outlet.quiet,
        ) as watch:
            outlet.watch = watch
            if isinstance(reply, EventReply):
                await _translated(job, reply, outlet, encoder, watch)
            else:
                await _relayed(job, reply, outlet, watch)  # type: ignore[arg-type]  # a stream is never Whole
        is_whole = job.trail.error is None
    except ClientGoneError:
        raise
    except asyncio.CancelledError:
        # The server is stopping and its patience is over: the client is told, so that it asks again elsewhere.
        job.trail.error = DrainingError("the gateway is stopping")
        if not job.call.disconnect.gone:
            await outlet.send(_last_words(reply, encoder, job.trail.error))  # type: ignore[arg-type]  # as below
        raise
    except GatewayError as error:
        job.trail.error = error
        await outlet.send(_last_words(reply, encoder, error))  # type: ignore[arg-type]  # a stream is never Whole
        if not isinstance(reply, EventReply):
            # Only its last word may have been missing: then the client was given that.
            job.trail.error = reply.observer.error  # type: ignore[union-attr]  # as above
    finally:
        if isinstance(reply, EventReply):
            job.trail.repairs = reply.repairs
        job.trail.usage = reply.usage if isinstance(reply, EventReply) else reply.observer.usage  # type: ignore[union-attr]
        await outlet.aclose()
        try:
            if is_whole:
                # Outside of every limit: the client has had all of it, nothing can fail any more.
                await _drained(reply.response)
        finally:
            await reply.response.aclose()


def _comment() -> bytes:
    return COMMENT


def _times_itself(reply: object) -> bool:
    return isinstance(reply, EventReply) and reply.times_itself


def _remark(reply: EventReply, encoder: StreamEncoder) -> bytes:
    """Return an SSE comment; other framings have no place for one."""
    remark, reply.remark = reply.remark, ""
    return b": %s\n\n" % remark.encode() if encoder.content_type.startswith(_EVENT_STREAM) else b""


def _last_words(reply: EventReply | RelayedReply, encoder: StreamEncoder, error: GatewayError) -> bytes:
    if isinstance(reply, EventReply):
        return b"" if reply.finished else encoder.feed(reply.fail(error))
    return reply.observer.close(error)


async def _translated(
    job: Job, reply: EventReply, outlet: Outlet, encoder: StreamEncoder, watch: Watch
) -> None:
    trail = job.trail
    while not reply.finished:
        events = await reply.events(watch)
        if reply.remark:
            await outlet.send(_remark(reply, encoder))
        if events:
            await outlet.send(encoder.feed(events))
            if trail.first_byte is None:
                trail.first_byte = asyncio.get_running_loop().time() - trail.began
    trail.error = reply.error


async def _relayed(job: Job, reply: RelayedReply, outlet: Outlet, watch: Watch) -> None:
    trail, observer = job.trail, reply.observer
    while True:
        data = await reply.data(watch)
        if data:
            await outlet.send(data)
            if trail.first_byte is None:
                trail.first_byte = asyncio.get_running_loop().time() - trail.began
        if reply.over:
            break
    trail.error = observer.error
    await outlet.send(observer.close())
    trail.error = observer.error


async def _drained(response: UpstreamResponse) -> None:
    """Read the end of a reply that is complete, so that its connection can be used again."""
    try:
        async with asyncio.timeout(_AFTER_END):
            while await response.chunk():
                pass
    except (GatewayError, TimeoutError, asyncio.CancelledError):
        return  # a server that stops cuts nothing here: the client has had all of it
