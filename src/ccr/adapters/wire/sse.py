"""Server-sent events, framed on bytes (WHATWG HTML, 9.2).

Worst case linear in the bytes read: every feed looks at what is new, and an incomplete event is never searched twice.
UTF-8 is not decoded here, so a character may be cut by the network wherever it likes.
"""

from __future__ import annotations

from ccr.application.ports.dialect import Frame
from ccr.domain.errors import UpstreamProtocolError

__all__ = ["CONTENT_TYPE", "DEFAULT_LIMIT", "SseFramer", "write_event"]

CONTENT_TYPE = "text/event-stream; charset=utf-8"

DEFAULT_LIMIT = 16 * 1024 * 1024
"""Bytes of one event. Replies with an inline picture come in one event of several MB; 16 MB is aiohttp's and more than
any reply we know, while hundreds of streams that all go wild still fit in memory for as long as it takes to refuse."""

_BOM = b"\xef\xbb\xbf"


class SseFramer:
    """Cuts a byte stream into events: LF, CR and CRLF, comments ignored, several ``data`` lines joined.

    An event over ``limit`` bytes raises UpstreamProtocolError once the frames before it have been given out.
    """

    __slots__ = ("_after_cr", "_buffer", "_error", "_head", "_limit")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._after_cr = False
        self._head: bytes | None = b""  # the first bytes, while they may be a byte order mark
        self._error: UpstreamProtocolError | None = None

    @property
    def pending(self) -> bool:
        """Whether an event has begun that has not ended."""
        return bool(self._buffer or self._head)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes. Raises UpstreamProtocolError if one grows over the bound."""
        if self._error is not None:
            raise self._error
        if self._head is not None:
            data = self._without_bom(data)
        if self._after_cr or b"\r" in data:
            data = self._lf_only(data)
        buffer = self._buffer
        if not buffer:
            end = data.rfind(b"\n\n")
            if end >= 0:
                buffer += data[end + 2 :]
                return self._frames(data[:end])
            buffer += data
        else:
            start = len(buffer) - 1  # the blank line may have begun in what we hold
            buffer += data
            end = buffer.rfind(b"\n\n", start)
            if end >= 0:
                whole = bytes(buffer[:end])
                del buffer[: end + 2]
                return self._frames(whole)
        return self._frames(b"")

    def close(self) -> list[Frame]:
        """Return what a stream without a last blank line still holds. Raises as feed()."""
        if self._error is not None:
            raise self._error
        rest = (self._head or b"") + bytes(self._buffer)
        self._head = None
        self._buffer.clear()
        return self._frames(rest)

    def _without_bom(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        if len(head) < len(_BOM) and _BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        return head.removeprefix(_BOM)

    def _lf_only(self, data: bytes) -> bytes:
        # A CR ends its line at once; the LF that may follow, perhaps in the next read, belongs to it.
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if data.endswith(b"\r"):
            self._after_cr = True
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _frames(self, whole: bytes) -> list[Frame]:
        frames: list[Frame] = []
        limit = self._limit
        for event in whole.split(b"\n\n"):
            if len(event) > limit and len(event.strip(b"\n")) > limit:
                return self._over(frames)
            frame = _frame(event)
            if frame is not None:
                frames.append(frame)
        if len(self._buffer) > limit and len(self._buffer.strip(b"\n")) > limit:
            return self._over(frames)
        return frames

    def _over(self, frames: list[Frame]) -> list[Frame]:
        self._error = UpstreamProtocolError(f"one event of the reply is longer than {self._limit} bytes")
        self._buffer.clear()
        if not frames:
            raise self._error
        return frames


def _frame(event: bytes) -> Frame | None:
    """Read the lines of one event; None if it has no data."""
    # Nearly every event is one of these two, and the lines of others cost three times as much.
    if event.startswith(b"data: ") and b"\n" not in event:
        return Frame(b"", event[6:])
    if event.startswith(b"event: "):
        end = event.find(b"\n")
        if event.startswith(b"data: ", end + 1) and event.find(b"\n", end + 1) < 0 < end:
            return Frame(event[7:end], event[end + 7 :])
    name, data = b"", None
    for line in event.split(b"\n"):
        if line.startswith(b"data:"):
            value = line[6:] if line.startswith(b" ", 5) else line[5:]
            data = value if data is None else data + b"\n" + value
        elif line.startswith(b"event:"):
            name = line[7:] if line.startswith(b" ", 6) else line[6:]
        elif line == b"data":
            data = b"" if data is None else data + b"\n"
    return None if data is None else Frame(name, data)


def write_event(event: bytes, data: bytes) -> bytes:
    """Return one named event; ``data`` is one line (JSON text has no line ends)."""
    return b"event: " + event + b"\ndata: " + data + b"\n\n"
