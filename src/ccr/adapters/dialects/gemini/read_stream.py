"""A streamed reply: chunks of generateContent in, events of ours out.

Some versions of the API say ``finishReason`` in every chunk, so a reply ends where its bytes end; without any reason it is a
failure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar

from typing_extensions import override

from ccr.adapters.dialects.gemini.errors import said_in_reply
from ccr.adapters.dialects.gemini.reader import Reader
from ccr.adapters.dialects.gemini.wire import CHUNK, CHUNKS, WireChunk, absent
from ccr.adapters.wire import json
from ccr.adapters.wire.sniffing import SniffingDecoder
from ccr.domain.errors import UpstreamProtocolError

if TYPE_CHECKING:
    import msgspec

    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["GeminiStreamDecoder", "whole_reply"]

_T = TypeVar("_T")
_NOT_OURS = "the provider's reply is not one of generateContent"


class GeminiStreamDecoder(SniffingDecoder):
    """:class:`ccr.application.ports.dialect.StreamDecoder` of generateContent; a JSON array is read too."""

    openings: ClassVar[tuple[bytes, ...]] = (b"{", b"[")

    def __init__(self, framer: Framer) -> None:
        super().__init__(framer)
        self._reader = Reader()

    @override
    def _has_reason(self) -> bool:
        return self._reader.finished

    @override
    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        for frame in frames:
            data = frame.data.strip()
            if data and data != b"[DONE]":
                self._take(_understood(CHUNK, data), events)

    @override
    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        for chunk in _chunks(body):
            self._take(chunk, events)

    @override
    def _end(self, events: list[StreamEvent]) -> None:
        events += self._reader.end()
        self._ended = True

    def _take(self, chunk: WireChunk, events: list[StreamEvent]) -> None:
        if not absent(chunk.error):
            raise said_in_reply(json.decode(chunk.error))
        events += self._reader.take(chunk)


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
