"""A streamed reply: bytes in, events out.

``[DONE]`` is no sign of a complete reply: relays in between write it after a cut as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.reader import ChatReader
from ccr.adapters.dialects.openai_chat.wire import CHUNK, Choice, Chunk
from ccr.adapters.wire import json
from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["ChatStreamDecoder", "whole_reply"]

_WHOLE_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON body in place of a stream."""


class ChatStreamDecoder:
    """:class:`ccr.application.ports.dialect.StreamDecoder` of chat completions."""

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._reader = ChatReader()
        self._ended = False
        self._head: bytes | None = b""  # until the first byte that is not white space
        self._whole: bytearray | None = None  # a JSON body, where a stream was asked for

    def be_lenient(self) -> None:
        """Hand inputs of calls on although they are no JSON objects: a stage behind mends what it can."""
        self._reader.lenient = True

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
                self._json(bytes(self._whole), events)
            else:
                self._frames(self._framer.close(), events)
            if not self._ended:
                self._end(events)
        except GatewayError as error:
            return self._failed(events, error)
        return events

    def _peek(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        shown = head.lstrip()
        if not shown:
            self._head = head[-1:]
            return b""
        self._head = None
        if shown.startswith(b"{"):
            self._whole = bytearray()
        return head

    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        for frame in frames:
            if self._ended:
                return
            data = frame.data.strip()
            if data == b"[DONE]":
                self._end(events)
            elif data:
                events.extend(self._reader.take(_chunk(data)))

    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        reader = ChatReader(stream=False)
        reader.lenient = self._reader.lenient
        events.extend(whole_reply(reader, body))
        self._ended = True

    def _end(self, events: list[StreamEvent]) -> None:
        self._ended = True
        events.extend(self._reader.end())

    def _failed(self, events: list[StreamEvent], error: GatewayError) -> list[StreamEvent]:
        self._ended = True
        events.append(StreamFailed(error))
        return events


def whole_reply(reader: ChatReader, body: bytes) -> Iterator[StreamEvent]:
    """Read a body that is one JSON reply. Raises GatewayError. A whole reply needs no reason to be complete."""
    chunk = _chunk(body)
    yield from reader.take(chunk)
    if not chunk.choices:
        raise UpstreamProtocolError("the provider's reply holds no message")
    if not reader.finished:
        yield from reader.take(Chunk(choices=[Choice(finish_reason="stop")]))
    yield from reader.end()


def _chunk(data: bytes) -> Chunk:
    try:
        return json.decode_tolerant(CHUNK, data)
    except ValueError as error:
        raise UpstreamProtocolError("the provider's reply is not a chat completion") from error
