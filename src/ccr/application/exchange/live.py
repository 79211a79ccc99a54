"""A reply under way, in its two kinds: relayed as bytes, or translated as events."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

from ccr.application.exchange.mask import mask_error
from ccr.application.ports.transformer import repairs_of
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.stream import BlockStart, MessageStart, MessageStop, StreamFailed, TextDelta, UsageUpdate
from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.dialect import ReplyWatch, StreamDecoder
    from ccr.application.ports.transformer import EventStage
    from ccr.application.ports.upstream import UpstreamResponse
    from ccr.domain.repair import Repair
    from ccr.domain.stream import StreamEvent

__all__ = ["DecodedSource", "EventReply", "ListSource", "Progress", "RelayedReply", "Source"]

_WITH_USAGE = frozenset({MessageStart, UsageUpdate, MessageStop})
_CONTENT = frozenset({BlockStart, MessageStop})
_AFTER_FINISH = 1.0
"""Seconds that a provider gets for its usage and its last word once it has said why it stops."""


class Progress(Protocol):
    """Whoever wants to know that a reply goes forward (``watch.Watch``)."""

    def progress(self) -> None: ...


class Source(Protocol):
    """Where events come from, a batch at a time; an empty batch is no progress, None is the end."""

    async def batch(self) -> Sequence[StreamEvent] | None: ...


class DecodedSource:
    """Events of a streamed response; ``secrets`` are masked in the words it fails with."""

    def __init__(
        self, response: UpstreamResponse, decoder: StreamDecoder, secrets: Sequence[str] = ()
    ) -> None:
        self._response = response
        self._decoder = decoder
        self._secrets = secrets
        self._ended = False

    async def batch(self) -> Sequence[StreamEvent] | None:
        """Read once from the network; whatever cuts the stream becomes StreamFailed."""
        if self._ended:
            return None
        try:
            data = await _chunk(self._response, hurry=self._decoder.finishing)
        except GatewayError as error:
            self._ended = True
            if self._decoder.finishing:
                return self._decoder.close()
            return [StreamFailed(error)]
        self._ended = not data
        events = self._decoder.feed(data) if data else self._decoder.close()
        if events and isinstance(events[-1], StreamFailed):
            mask_error(events[-1].error, self._secrets)
        return events


async def _chunk(response: UpstreamResponse, *, hurry: bool) -> bytes:
    """Read once; ``hurry``: the reply is complete, and who does not say so soon never will."""
    if not hurry:
        return await response.chunk()
    try:
        async with asyncio.timeout(_AFTER_FINISH):
            return await response.chunk()
    except TimeoutError:
        return b""


class ListSource:
    """Events of a reply that came whole."""

    def __init__(self, events: Sequence[StreamEvent]) -> None:
        self._events: Sequence[StreamEvent] | None = events

    async def batch(self) -> Sequence[StreamEvent] | None:
        """Return all of them, once."""
        events, self._events = self._events, None
        return events


class EventReply:
    """A reply as events, through the stages of its target."""

    def __init__(self, response: UpstreamResponse, source: Source, stages: Sequence[EventStage]) -> None:
        self.response = response
        self.usage: Usage = NO_USAGE
        self.times_itself = False
        """The source says itself when the provider stands still."""
        self.remark = ""
        """A word for whoever looks at the bytes; taken off once it is sent."""
        self.ended = False
        self.error: GatewayError | None = None
        self._source = source
        self._stages = stages
        self._held: list[StreamEvent] = []

    async def content(self, watch: Progress) -> None:
        """Wait until real content is there; hold what came. Raises whatever the reply failed with before that."""
        while True:
            events = await self._next(watch)
            if self.error is not None:
                raise self.error
            self._held.extend(events)
            if self.ended or any(type(event) in _CONTENT for event in events):
                return

    async def events(self, watch: Progress) -> Sequence[StreamEvent]:
        """Return the next events, what was held first; check ``ended`` before asking again."""
        if self._held:
            held, self._held = self._held, []
            return held
        return await self._next(watch)

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What stages have mended so far."""
        return repairs_of((self._source, *self._stages))

    @property
    def finished(self) -> bool:
        """The last event has been handed out."""
        return self.ended and not self._held

    async def _next(self, watch: Progress) -> Sequence[StreamEvent]:
        events = await self._source.batch()
        if events is None:
            error = UpstreamProtocolError("the reply ended before it was complete")
            events = [StreamFailed(error)]
        if events:
            watch.progress()
            for stage in self._stages:
                events = stage.feed(events)
            self._look(events)
        return events

    def fail(self, error: GatewayError) -> Sequence[StreamEvent]:
        """End the reply from outside; the stages flush what they hold."""
        events: Sequence[StreamEvent] = [StreamFailed(error)]
        for stage in self._stages:
            events = stage.feed(events)
        held, self._held = self._held, []
        events = [*held, *events]
        self._look(events)
        return events

    def _look(self, events: Sequence[StreamEvent]) -> None:
        for event in events:
            kind = type(event)
            if kind is TextDelta:
                continue
            if kind in _WITH_USAGE:
                self.usage = self.usage.merged(event.usage)  # type: ignore[union-attr]  # the three that have it
            if kind is MessageStop:
                self.ended = True
            elif isinstance(event, StreamFailed):
                self.ended, self.error = True, event.error


class RelayedReply:
    """A reply whose bytes go through as they come, with an observer beside them."""

    def __init__(self, response: UpstreamResponse, observer: ReplyWatch) -> None:
        self.response = response
        self.observer = observer
        self.over = False
        """Nothing more comes, or may be sent."""
        self._held: list[bytes] = []

    async def content(self, watch: Progress) -> None:
        """Wait until real content is there; hold what came. Raises whatever the reply failed with before that."""
        observer = self.observer
        while not self._begun:
            data = await self._read(watch)
            if self.over and not self._begun:
                data += observer.close()
                if not self._begun:
                    raise observer.error or UpstreamProtocolError("the reply ended before it was complete")
            self._held.append(data)

    @property
    def _begun(self) -> bool:
        return self.observer.started or self.observer.ended

    async def data(self, watch: Progress) -> bytes:
        """Return the next whole events, what was held first; nothing when none was completed. Check ``over`` first."""
        if self._held:
            held, self._held = b"".join(self._held), []
            return held
        return b"" if self.over else await self._read(watch)

    async def _read(self, watch: Progress) -> bytes:
        observer = self.observer
        data = await _chunk(self.response, hurry=observer.finishing)
        if not data:
            self.over = True
            return b""
        before = observer.progress
        whole = observer.feed(data)
        if observer.progress != before:
            watch.progress()
        if observer.ended or observer.error is not None:
            self.over = True
        return whole
