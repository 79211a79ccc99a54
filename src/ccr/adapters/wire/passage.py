"""Cuts a stream that is handed on into whole events and changes no byte: half an event never goes out."""

from __future__ import annotations

import re

from ccr.adapters.wire.sse import DEFAULT_LIMIT
from ccr.domain.errors import UpstreamProtocolError

__all__ = ["Passage"]

_BLANK = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")
"""A line end, and the empty line behind it."""


class Passage:
    """Holds back what is not yet a whole event. Worst case linear in the bytes read."""

    __slots__ = ("_limit", "_tail")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._tail = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the events that ``data`` completes, each with the empty line that ends it."""
        tail = self._tail
        if not tail:
            # What nearly every server sends: LF only, and no half event in a read.
            if b"\r" not in data:
                *whole, rest = data.split(b"\n\n")
                if not rest and len(whole) == 1:
                    return [data]
                tail += rest
                return self._bounded([event + b"\n\n" for event in whole])
            start = 0
        else:
            start = max(0, len(tail) - 3)  # the empty line may have begun in what we hold
        tail += data
        events: list[bytes] = []
        begun = 0
        for found in _BLANK.finditer(tail, start):
            events.append(bytes(tail[begun : found.end()]))
            begun = found.end()
        if begun:
            del tail[:begun]
        return self._bounded(events)

    def _bounded(self, events: list[bytes]) -> list[bytes]:
        if len(self._tail) > self._limit:
            self._tail.clear()
            raise UpstreamProtocolError(f"one event of the reply is longer than {self._limit} bytes")
        return events

    def rest(self) -> bytes:
        """End of input: return what is left, once."""
        rest = bytes(self._tail)
        self._tail.clear()
        return rest
