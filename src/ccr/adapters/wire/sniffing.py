"""The outer part of a stream decoder: bytes to frames, or a JSON body from a provider that does not stream."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from ccr.domain.errors import GatewayError, UpstreamProtocolError
from ccr.domain.stream import StreamFailed

if TYPE_CHECKING:
    from ccr.application.ports.dialect import Frame, Framer
    from ccr.domain.stream import StreamEvent

__all__ = ["SniffingDecoder"]

_WHOLE_LIMIT = 64 * 1024 * 1024
"""Bytes of a JSON body in place of a stream."""


class SniffingDecoder(ABC):
    """:class:`ccr.application.ports.dialect.StreamDecoder` but for what the frames mean.

    Attributes:
        openings: first bytes, after white space, of a body that is JSON and no stream.
    """

    openings: ClassVar[tuple[bytes, ...]] = (b"{",)

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._ended = False
        self._head: bytes | None = b""  # until the first byte that is not white space
        self._whole: bytearray | None = None  # a JSON body, where a stream was asked for

    @abstractmethod
    def _frames(self, frames: list[Frame], events: list[StreamEvent]) -> None:
        """Read frames. Raises GatewayError."""

    @abstractmethod
    def _json(self, body: bytes, events: list[StreamEvent]) -> None:
        """Read a JSON body. Raises GatewayError."""

    @abstractmethod
    def _end(self, events: list[StreamEvent]) -> None:
        """End of input before the reply has ended: end it. Raises GatewayError."""

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

    @property
    def finishing(self) -> bool:
        """The provider has said why it stops."""
        return not self._ended and self._has_reason()

    def _has_reason(self) -> bool:
        """Whether the reply is complete but for its end."""
        return False

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
        if shown.startswith(self.openings):
            self._whole = bytearray()
        return head

    def _failed(self, events: list[StreamEvent], error: GatewayError) -> list[StreamEvent]:
        if isinstance(error, UpstreamProtocolError) and self.finishing:
            # Junk behind a reply that was complete.
            with suppress(GatewayError):
                self._end(events)
                return events
        self._ended = True
        events.append(StreamFailed(error))
        return events
