"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from ccr.adapters.dialects.openai_responses.errors import failure
from ccr.adapters.dialects.openai_responses.read_reply import read_reply
from ccr.adapters.dialects.openai_responses.read_stream import ResponsesStreamDecoder
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import SseFramer, write_event
from ccr.domain.errors import GatewayError
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
)
from ccr.domain.usage import NO_USAGE, Usage

__all__ = ["ResponsesReplyWatch"]


class ResponsesReplyWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch`: reads along with the decoder and changes no byte."""

    def __init__(self, *, stream: bool) -> None:
        self._framer = SseFramer()
        self._decoder = ResponsesStreamDecoder(self._framer) if stream else None
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
        if error is not None:
            self.error = error
        elif self._decoder is None:
            self._read_whole()
        else:
            self._see(self._decoder.close())
        if self.error is None or self._decoder is None:
            return b""
        fault = {"type": "error", "param": None, "sequence_number": 0, **failure(self.error)}
        return cut + write_event(b"error", json.encode_wire(fault))

    def _read_whole(self) -> None:
        try:
            self.usage = read_reply(bytes(self._body)).usage
        except GatewayError as error:
            self.error = error
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
                case MessageStart():
                    pass
                case MessageStop(usage=usage):
                    self.usage = self.usage.merged(usage)
                    self.started = self.ended = True
                case StreamFailed(error=error):
                    self.error = error
                case _:
                    pass
