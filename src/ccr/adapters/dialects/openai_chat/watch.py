"""An observer for replies that are relayed as they came."""

from __future__ import annotations

from ccr.adapters.dialects.openai_chat.read_reply import read_reply
from ccr.adapters.dialects.openai_chat.read_stream import ChatStreamDecoder
from ccr.adapters.wire import json
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

__all__ = ["ChatReplyWatch"]


class ChatReplyWatch:
    """:class:`ccr.application.ports.dialect.ReplyWatch`: reads along with the decoder and changes no byte."""

    def __init__(self, *, stream: bool) -> None:
        self._decoder = ChatStreamDecoder(SseFramer()) if stream else None
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
        if error is not None:
            self.error = error
        elif self._decoder is None:
            self._read_whole()
        else:
            self._see(self._decoder.close())
        if self.error is None or self._decoder is None:
            return b""
        fault = {
            "error": {
                "message": self.error.message,
                "type": "server_error",
                "param": None,
                "code": self.error.kind,
            }
        }
        return b"data: " + json.encode(fault) + b"\n\n"

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
                case MessageStart(usage=usage) | UsageUpdate(usage=usage):
                    self.usage = self.usage.merged(usage)
                case MessageStop(usage=usage):
                    self.usage = self.usage.merged(usage)
                    self.started = self.ended = True
                case StreamFailed(error=error):
                    self.error = error
                case _:
                    pass
