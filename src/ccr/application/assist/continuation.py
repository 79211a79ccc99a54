"""A streamed reply that is cut in the middle goes on: somebody is asked for the rest, and the client sees one reply."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.exchange.live import EventReply
from ccr.domain.continuation import Joint, Standing, continued
from ccr.domain.conversation import FreeformTool
from ccr.domain.errors import ClientGoneError, GatewayError, Remedy, UpstreamError, UpstreamTimeoutError
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.call import Headers
    from ccr.application.exchange.seams import Further
    from ccr.application.ports.payload import JsonCodec
    from ccr.domain.conversation import Conversation
    from ccr.domain.repair import Repair
    from ccr.domain.stream import StreamEvent

__all__ = ["Continuation"]

_MOST = 2
"""Continuations of one request: who is cut a third time is not unlucky."""


@define(eq=False)
class Continuation:
    """:class:`ccr.application.exchange.seams.Continuer`."""

    codec: JsonCodec

    def guarded(self, said: Conversation, reply: EventReply, further: Further) -> EventReply:
        """Return the reply, and whatever goes on from it if it is cut.

        What must be JSON as a whole is left alone: nobody could go on in the middle of it.
        """
        if said.output_format is not None:
            return reply
        texts = frozenset(tool.name for tool in said.tools if isinstance(tool, FreeformTool))
        head = reply.response
        joint = Joint(lambda name, given: name in texts or self._is_object(given))
        source = _Continued(said, reply, further, joint, head.status, head.headers)
        whole = EventReply(source, source, ())
        whole.times_itself = True
        source.whole = whole
        return whole

    def _is_object(self, text: str) -> bool:
        try:
            return isinstance(self.codec.decode(text.encode()), dict)
        except ValueError:
            return False


@define(eq=False)
class _Continued:
    """A :class:`ccr.application.exchange.live.Source`, and the ``UpstreamResponse`` of whatever reply is open.

    ``status`` and ``headers`` are the first reply's. ``whole``: the reply that all of them make.
    """

    said: Conversation
    reply: EventReply
    further: Further
    joint: Joint
    status: int
    headers: Headers
    whole: EventReply | None = None
    _continued: int = field(default=0, init=False)
    _over: bool = field(default=False, init=False)
    _cut: bool = field(default=False, init=False)
    _news: bool = field(default=True, init=False)
    _heard: float = field(default=0.0, init=False)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was mended in the last reply; of those before it, no call has been shown."""
        return self.reply.repairs

    # ------------------------------------------------------------------------------------- the source

    async def batch(self) -> Sequence[StreamEvent] | None:
        """Read once, or ask once for the rest. What the client has is what it would have had: a cut is no event of its own."""
        if self._over:
            return None
        if self.joint.failed is None:
            events = self.joint.feed(await self._read())
        else:
            events = await self._after(self.joint.failed)
            self._over = bool(events)
        self._over = self._over or self.joint.ended
        return events

    def progress(self) -> None:
        """The reply under way goes forward."""
        self._news = True

    async def _read(self) -> Sequence[StreamEvent]:
        """Read from the reply under way; standing still is one of the ways in which it fails."""
        now, idle = asyncio.get_running_loop().time(), self.further.idle
        if self._news:  # not from when it came: the client may have been slow since
            self._news, self._heard = False, now
        try:
            async with asyncio.timeout_at(None if idle is None else self._heard + idle):
                events = await self.reply.events(self)
        except TimeoutError:
            return self.reply.fail(UpstreamTimeoutError(f"the provider sent nothing new for {idle:g} s"))
        # What the commit gate held was no progress now, but is sent all the same.
        self._news = self._news or bool(events)
        return events

    async def _after(self, error: GatewayError) -> list[StreamEvent]:
        """Return how the reply ends; nothing if it goes on."""
        standing = self.joint.standing
        may = isinstance(error, UpstreamError) and error.failure.remedy is not Remedy.STOP
        if not may or standing is Standing.FAIL:
            return [StreamFailed(error)]
        if standing is Standing.GO_ON and self._continued >= _MOST:
            return [StreamFailed(error)]
        self.further.cut(error)
        self._cut = True
        await self.reply.response.aclose()
        if standing is Standing.FINISH:
            return self.joint.finish()
        return await self._asked(error)

    async def _asked(self, error: GatewayError) -> list[StreamEvent]:
        self._continued += 1
        try:
            reply = await self.further(continued(self.said, self.joint.said), error)
        except ClientGoneError:
            raise
        except GatewayError:
            return [StreamFailed(error)]
        self.reply, self._cut, self._news = reply, False, True
        self.joint.turn()
        if self.whole is not None:
            self.whole.remark = f"ccr continued {self._continued}"
        return []

    # ------------------------------------------------------------------------------------ the response

    async def chunk(self) -> bytes:
        """Return the next piece of the body of the reply under way: what follows its end."""
        return b"" if self._cut else await self.reply.response.chunk()

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body of the reply under way."""
        return b"" if self._cut else await self.reply.response.read(limit)

    async def aclose(self) -> None:
        """Close the reply that is open."""
        self._over = True
        await self.reply.response.aclose()
