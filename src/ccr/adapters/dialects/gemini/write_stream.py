"""A streamed reply for our client: server-sent events, or without ``?alt=sse`` one JSON array.

A reply that fails ends in ``{"error": ...}``, never in a bare cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.errors import error_object
from ccr.adapters.dialects.gemini.usage import write_usage
from ccr.adapters.dialects.gemini.wire import Raw, Wire
from ccr.adapters.dialects.gemini.write_parts import PartWriter
from ccr.adapters.dialects.gemini.write_reply import ended
from ccr.adapters.wire import json
from ccr.adapters.wire.sse import CONTENT_TYPE
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason
from ccr.domain.stream import MessageStart, MessageStop, StreamFailed, UsageUpdate
from ccr.domain.usage import NO_USAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.domain.errors import GatewayError
    from ccr.domain.stream import StreamEvent

__all__ = ["GeminiStreamEncoder"]

_CHUNK = b'{"candidates":[{"content":{"parts":[%s],"role":"model"},"index":0}],%s}'
_NOTHING: Wire = {"text": ""}
_KEEP_ALIVE = b"\n"
"""Legal between events and between the items of an array; official clients read a comment as JSON."""


class GeminiStreamEncoder:
    """:class:`ccr.application.ports.dialect.StreamEncoder`. ``new_id`` and ``model`` are used where nobody says them."""

    def __init__(self, new_id: str, model: str, input_estimate: int, *, sse: bool, thoughts: bool) -> None:
        self.content_type = CONTENT_TYPE if sse else "application/json; charset=UTF-8"
        self._sse = sse
        self._names: Wire = {"modelVersion": model, "responseId": new_id}
        self._tail = b""
        self._estimate = input_estimate
        self._parts = PartWriter(thoughts=thoughts)
        self._usage = NO_USAGE
        self._first = True
        self._ended = False

    def feed(self, events: Sequence[StreamEvent]) -> bytes:
        """Return the bytes of these events; nothing more once the reply has ended."""
        written: list[bytes] = []
        for event in events:
            if self._ended:
                break
            try:
                self._one(event, written)
            except UpstreamProtocolError as error:
                self._fail(error, written)
        return b"".join(written)

    def keep_alive(self) -> bytes:
        """Return white space, which opens nothing."""
        return b"" if self._ended else _KEEP_ALIVE

    def _one(self, event: StreamEvent, written: list[bytes]) -> None:
        match event:
            case MessageStart():
                self._usage = self._usage.merged(event.usage)
                named: Wire = {"modelVersion": event.model, "responseId": event.id}
                self._names.update({name: value for name, value in named.items() if value})
            case UsageUpdate():
                self._usage = self._usage.merged(event.usage)
            case MessageStop():
                self._end(event, written)
            case StreamFailed(error=error):
                self._fail(error, written)
            case _:
                written += map(self._chunk, self._parts.take(event))

    def _chunk(self, part: Wire | Raw) -> bytes:
        if not self._tail:
            self._tail = json.encode_wire(self._names)[1:-1]
        return self._framed(_CHUNK % (json.encode_wire(part), self._tail))

    def _end(self, event: MessageStop, written: list[bytes]) -> None:
        self._parts.end(event.reason)
        self._ended = True
        # The part of a last chunk is empty: some clients take a content without parts for a broken reply.
        parts = () if event.reason is StopReason.REFUSAL and self._first else (_NOTHING,)
        said = ended(parts, event.reason, event.details, self._parts.sources.metadata())
        usage = write_usage(self._usage.merged(event.usage), self._estimate)
        written.append(self._framed(json.encode_wire({**said, "usageMetadata": usage, **self._names})))
        written.append(self._closing())

    def _fail(self, error: GatewayError, written: list[bytes]) -> None:
        self._ended = True
        written.append(self._framed(error_object(error)))
        written.append(self._closing())

    def _framed(self, data: bytes) -> bytes:
        first, self._first = self._first, False
        if self._sse:
            return b"data: " + data + b"\r\n\r\n"
        return (b"[" if first else b",\r\n") + data

    def _closing(self) -> bytes:
        return b"" if self._sse else b"\n]"
