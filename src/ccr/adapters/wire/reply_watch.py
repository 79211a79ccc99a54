"""Looks at a relayed reply by the dialect's own decoder, lets sound events pass, and changes no byte of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.wire import json
from ccr.adapters.wire.broken_call import CUT_SHORT, broken_call
from ccr.adapters.wire.passage import Passage
from ccr.adapters.wire.sse import DEFAULT_LIMIT, SseFramer
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamFailed,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE, Usage

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Framer, StreamDecoder
    from ccr.domain.reply import Reply
    from ccr.domain.stream import StreamEvent

__all__ = ["DecodingWatch"]


def _is_whole(rest: bytes) -> bool:
    framer = SseFramer()
    frames = [*framer.feed(rest), *framer.close()]
    return bool(frames) and all(
        frame.data.strip() == b"[DONE]" or json.object_of(frame.data) is not None for frame in frames
    )


class DecodingWatch(ABC):
    """:class:`ccr.application.ports.dialect.ReplyWatch`: reads along with a decoder.

    Attributes:
        ends_with_bytes: a reply is over where its bytes are, so a cut may come after its end.
        mended: the whole reply holds a call that our reader has put right, and its bytes have not.
    """

    ends_with_bytes: ClassVar[bool] = False
    mended: bool = False

    def __init__(self, *, stream: bool, limit: int | None = None) -> None:
        self._limit = limit or DEFAULT_LIMIT
        self._passage = Passage(self._limit)
        self._framer = SseFramer(self._limit)
        self._decoder = self.decoder(self._framer) if stream else None
        self._closed = False
        self._body = bytearray()
        self._held = bytearray()
        self.usage: Usage = NO_USAGE
        self.open_block = False
        self.started = False
        self.ended = False
        self.error: GatewayError | None = None
        self.progress = 0

    @abstractmethod
    def decoder(self, framer: Framer) -> StreamDecoder:
        """Return a reader of a streamed reply."""

    @abstractmethod
    def whole(self, body: bytes) -> Reply:
        """Read a whole reply. Raises GatewayError."""

    @abstractmethod
    def fault(self, error: GatewayError) -> bytes:
        """Return an error as the last event of a stream."""

    def feed(self, data: bytes) -> bytes:
        """Look at what goes by."""
        if self._decoder is None:
            self._body += data
            self.progress += 1
            return data
        passed: list[bytes] = []
        try:
            for event in self._passage.feed(data):
                if self.ended or self.error is not None:
                    break
                self._see(self._decoder.feed(event))
                passed.append(self._passed(event))
        except GatewayError as error:
            self.error = error
        return b"".join(passed)

    def _passed(self, event: bytes) -> bytes:
        """Return what goes on. What would tell a client that a broken call is finished waits for why the reply ends."""
        if self.error is not None:
            self._held.clear()
            # What the provider says of its failure is for the client; junk is not.
            return event if self._is_told else b""
        if self._broken and not self.ended:
            self._held += event
            if len(self._held) > self._limit:
                self.error = broken_call(self._broken)
            return b""
        if self._held:
            event = bytes(self._held) + event
            self._held.clear()
        return event

    @property
    def _broken(self) -> str:
        """The name of a call that came to its end with broken input."""
        return str(getattr(self._decoder, "broken", ""))

    def close(self, error: GatewayError | None = None) -> bytes:
        """End of input, or a cut."""
        if self.ended or self._closed or self._is_told:
            return b""
        self._closed = True
        if self._decoder is None:
            self._judge(error)
            return b""
        if self.error is not None:
            return self.fault(self.error)
        last = self._last_event() if error is None or self.ends_with_bytes else b""
        if self._needs_no_word:
            return last
        if error is not None:
            self.error = error
        return last if self.error is None else last + self.fault(self.error)

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops; only the end itself is missing."""
        return bool(getattr(self._decoder, "finishing", False))

    def _last_event(self) -> bytes:
        """Read what the end of input leaves: a whole event that lacks its empty line is given it, half of one is dropped."""
        assert self._decoder is not None
        rest = self._passage.rest().rstrip(b"\r\n")
        closed = rest + b"\n\n" if _is_whole(rest) else b""
        if closed:
            self._see(self._decoder.feed(closed))
        if not self.ended and self.error is None:
            self._see(self._decoder.close())
        return self._passed(closed)

    @property
    def _needs_no_word(self) -> bool:
        return self.ended or self._is_told

    @property
    def _is_told(self) -> bool:
        return self.error is not None and not isinstance(self.error, UpstreamProtocolError)

    def _judge(self, error: GatewayError | None) -> None:
        if error is not None:
            self.error = error
            return
        try:
            self.usage = self.whole(bytes(self._body)).usage
        except GatewayError as problem:
            self.error = problem
        else:
            self.started = self.ended = True

    def _see(self, events: list[StreamEvent]) -> None:
        self.progress += len(events)
        for event in events:
            match event:
                case BlockStart():
                    self.open_block = self.started = True
                case BlockStop():
                    self.open_block = False
                case MessageStart(usage=usage) | UsageUpdate(usage=usage):
                    self.usage = self.usage.merged(usage)
                case MessageStop(reason=reason, usage=usage):
                    self.usage = self.usage.merged(usage)
                    if self._broken and reason not in CUT_SHORT:
                        self.error = broken_call(self._broken)
                        return
                    self.started = self.ended = True
                case StreamFailed(error=error):
                    self.error = error
                case _:
                    pass
