"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from ccr.adapters.dialects.gemini.errors import error_object
from ccr.adapters.dialects.gemini.read_reply import read_reply
from ccr.adapters.dialects.gemini.read_stream import GeminiStreamDecoder
from ccr.adapters.wire.sse import SseFramer
from ccr.domain.errors import GatewayError
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    UsageUpdate,
)
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["GeminiReplyWatch"]


class GeminiReplyWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch`: reads along with the decoder and changes no byte."""

    def __init__(self, *, stream: bool) -> None:
        self._framer = SseFramer()
        self._decoder = GeminiStreamDecoder(self._framer) if stream else None
        self._body = bytearray()
        self.usage: Usage = NO_USAGE
        self.open_block = False
        self.started = False
        self.ended = False
        self.error: GatewayError | None = None
        self.progress = 0

    def feed(self, data: bytes) -> None:
        """Look at what goes by."""
        if self._decoder is None:
            self._body += data
            self.progress += 1
        else:
            self._see(self._decoder.feed(data))

    def close(self, error: GatewayError | None = None) -> bytes:
        """End of input, or a cut; returns an error event if the reply had not ended."""
        if self.ended or self.error is not None:
            return b""
        cut = b"\n\n" if self._framer.pending else b""
        if self._decoder is None:
            self._read_whole(error)
            return b""
        self._see(self._decoder.close())
        if error is not None and not self.ended:
            self.error = error
        if self.error is None:
            return b""
        return cut + b"data: " + error_object(self.error) + b"\n\n"

    def _read_whole(self, error: GatewayError | None) -> None:
        if error is not None:
            self.error = error
            return
        try:
            self.usage = read_reply(bytes(self._body)).usage
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
