"""A streamed reply: chunks of generateContent in, events of ours out.

Some versions of the API say ``finishReason`` in every chunk, so a reply ends where its bytes end; without any reason it is a
failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ccr.adapters.dialects.gemini.errors import said_in_reply
from ccr.adapters.dialects.gemini.reader import Reader
from ccr.adapters.dialects.gemini.wire import CHUNK, CHUNKS, WireChunk, absent
from ccr.adapters.wire import json
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    import msgspec

    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["GeminiStreamDecoder", "whole_reply"]

_WHOLE_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON body in place of a stream."""
_T = TypeVar("_T")
_NOT_OURS = "the provider's reply is not one of generateContent"


class GeminiStreamDecoder:
    """:class:`ccr.application.ports.dialect.StreamDecoder` of generateContent; a JSON array is read too."""

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._reader = Reader()
        self._ended = False
        self._head: bytes | None = b""  # until the first byte that is not white space
        self._whole: bytearray | None = None  # a JSON body, where SSE was asked for

    def feed(self, data: bytes) -> list[StreamEvent]:
        """Take what the network gave; never raises."""
        if self._ended:
            return []
        if self._head is not None:
            data = self._peek(data)
        if self._whole is not None:
            self._whole += data
            if len(self._whole) > _WHOLE_LIMIT:
                return self._failed(
                    [], UpstreamProtocolError(f"the reply is longer than {_WHOLE_LIMIT} bytes")
                )
            return []
        events: list[StreamEvent] = []
        try:
            self._frames(self._framer.feed(data), events)
        except GatewayError as error:
            return self._failed(events, error)
        return events

    def close(self) -> list[StreamEvent]:
        """End of input."""
        if self._ended:
            return []
        events: list[StreamEvent] = []
        try:
            if self._whole is not None:
                for chunk in _chunks(bytes(self._whole)):
                    self._take(chunk, events)
            else:
                self._frames(self._framer.close(), events)
            events += self._reader.end()
        except GatewayError as error:
            return self._failed(events, error)
        self._ended = True
        return events

    def _peek(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        shown = head.lstrip()
        if not shown:
            self._head = head[-1:]
            return b""
        self._head = None
        if shown.startswith((b"{", b"[")):
            self._whole = bytearray()
        return head

    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        for frame in frames:
            data = frame.data.strip()
            if data and data != b"[DONE]":
                self._take(_understood(CHUNK, data), events)

    def _take(self, chunk: WireChunk, events: list[StreamEvent]) -> None:
        if not absent(chunk.error):
            raise said_in_reply(json.decode(chunk.error))
        events += self._reader.take(chunk)

    def _failed(self, events: list[StreamEvent], error: GatewayError) -> list[StreamEvent]:
        self._ended = True
        events.append(StreamFailed(error))
        return events


def whole_reply(body: bytes) -> list[StreamEvent]:
    """Read a body that is one reply, or a list of chunks. Raises UpstreamProtocolError, or the error that a 200 hid."""
    reader = Reader()
    events: list[StreamEvent] = []
    for chunk in _chunks(body):
        if not absent(chunk.error):
            raise said_in_reply(json.decode(chunk.error))
        events += reader.take(chunk)
    return events + reader.end()


def _chunks(body: bytes) -> list[WireChunk]:
    if body.lstrip().startswith(b"["):
        return _understood(CHUNKS, body)
    return [_understood(CHUNK, body)]


def _understood(decoder: msgspec.json.Decoder[_T], data: bytes) -> _T:
    """Decode a part of a reply. Raises UpstreamProtocolError."""
    try:
        return json.decode_tolerant(decoder, data)
    except ValueError as error:
        raise UpstreamProtocolError(_NOT_OURS) from error
