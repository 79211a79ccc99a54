"""A streamed reply: bytes in, events out.

``[DONE]`` is no sign of a complete reply: relays in between write it after a cut as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from typing_extensions import override

from ccr.adapters.dialects.openai_chat.reader import ChatReader
from ccr.adapters.dialects.openai_chat.wire import CHUNK, Choice, Chunk
from ccr.adapters.wire import json
from ccr.adapters.wire.sniffing import SniffingDecoder
from ccr.domain.errors import UpstreamProtocolError

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["ChatStreamDecoder", "whole_reply"]


class ChatStreamDecoder(SniffingDecoder):
    """:class:`ccr.application.ports.dialect.StreamDecoder` of chat completions."""

    def __init__(self, framer: Framer) -> None:
        super().__init__(framer)
        self._reader = ChatReader()

    def be_lenient(self) -> None:
        """Hand inputs of calls on although they are no JSON objects: a stage behind mends what it can."""
        self._reader.lenient = True

    @property
    def broken(self) -> str:
        """The name of a call that came to its end with broken input."""
        return self._reader.broken

    @override
    def _has_reason(self) -> bool:
        return self._reader.finished

    @override
    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        reader, decode = self._reader, CHUNK.decode
        for frame in frames:
            data = frame.data
            if not data.startswith(b"{"):
                data = data.strip()
                if data == b"[DONE]":
                    self._end(events)
                    return
                if not data:
                    continue
            try:
                chunk = decode(data)
            except (ValueError, RecursionError):
                chunk = _chunk(data)
            reader.take(chunk, events)

    @override
    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        reader = ChatReader(stream=False)
        reader.lenient = self._reader.lenient
        events.extend(whole_reply(reader, body))
        self._ended = True

    @override
    def _end(self, events: list[StreamEvent]) -> None:
        self._ended = True
        events.extend(self._reader.end())


def whole_reply(reader: ChatReader, body: bytes) -> Iterator[StreamEvent]:
    """Read a body that is one JSON reply. Raises GatewayError. A whole reply needs no reason to be complete."""
    chunk = _chunk(body)
    events: list[StreamEvent] = []
    reader.take(chunk, events)
    yield from events
    if not chunk.choices:
        raise UpstreamProtocolError("the provider's reply holds no message")
    if not reader.finished:
        events = []
        reader.take(Chunk(choices=[Choice(finish_reason="stop")]), events)
        yield from events
    yield from reader.end()


def _chunk(data: bytes) -> Chunk:
    try:
        return json.decode_tolerant(CHUNK, data)
    except ValueError as error:
        raise UpstreamProtocolError("the provider's reply is not a chat completion") from error
