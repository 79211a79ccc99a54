"""Looks at a relayed reply by the dialect's own decoder and changes no byte."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from ccr.adapters.wire.sse import SseFramer
from ccr.domain.errors import GatewayError
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


class DecodingWatch(ABC):
    """:class:`ccr.application.ports.dialect.ReplyWatch`: reads along with a decoder.

    Attributes:
        ends_with_bytes: a reply is over where its bytes are, so a cut may come after its end.
    """

    ends_with_bytes: ClassVar[bool] = False

    def __init__(self, *, stream: bool) -> None:
        self._framer = SseFramer()
        self._decoder = self.decoder(self._framer) if stream else None
        self._body = bytearray()
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

    def feed(self, data: bytes) -> None:
        """Look at what goes by."""
        if self._decoder is None:
            self._body += data
            self.progress += 1
        else:
            self._see(self._decoder.feed(data))

    def close(self, error: GatewayError | None = None) -> bytes:
        """End of input, or a cut. Returns an error event if the reply had not ended; one cut in the middle is closed first."""
        if self.ended or self.error is not None:
            return b""
        if self._decoder is None:
            self._judge(error)
            return b""
        cut = b"\n\n" if self._framer.pending else b""
        if error is None or self.ends_with_bytes:
            self._see(self._decoder.close())
        if error is not None and not self.ended:
            self.error = error
        return b"" if self.error is None else cut + self.fault(self.error)

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
                case MessageStop(usage=usage):
                    self.usage = self.usage.merged(usage)
                    self.started = self.ended = True
                case StreamFailed(error=error):
                    self.error = error
                case _:
                    pass
