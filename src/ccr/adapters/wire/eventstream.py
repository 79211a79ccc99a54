"""Amazon's event stream (``application/vnd.amazon.eventstream``), framed on bytes.

A message is a prelude (total length, length of the headers, CRC32 of both), headers, a payload and a CRC32 of all before
it; numbers are big-endian (docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html, "Event stream
encoding"). Bedrock's ``chunk`` events hold one event of the model's own API in base64 each; ``padding`` beside it is
there to hide lengths.
"""

from __future__ import annotations

from struct import Struct as Layout
from typing import TYPE_CHECKING
from zlib import crc32

import msgspec

from ccr.adapters.wire import json
from ccr.adapters.wire.cloud_errors import amazon_type
from ccr.adapters.wire.sse import DEFAULT_LIMIT
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import UpstreamProtocolError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONTENT_TYPE", "EventStreamFramer", "write_message"]

CONTENT_TYPE = "application/vnd.amazon.eventstream"

_PRELUDE = Layout(">III")
_LENGTHS = Layout(">II")
_CRC = Layout(">I")
_LEAST = _PRELUDE.size + _CRC.size

_STRING = 7
_SIZED = frozenset({6, _STRING})
"""Types of headers that begin with their length: bytes and text."""
_SIZES = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Bytes of the others: true, false, byte, short, int, long, time, UUID."""


class _Chunk(msgspec.Struct, gc=False):
    """Payload of a ``chunk``; msgspec reads the base64."""

    data: bytes = msgspec.field(name="bytes")


class _Event(msgspec.Struct, gc=False):
    type: str = ""


class _Complaint(msgspec.Struct, gc=False):
    message: str = ""
    Message: str = ""


_CHUNK = msgspec.json.Decoder(_Chunk)
_EVENT = msgspec.json.Decoder(_Event)
_COMPLAINT = msgspec.json.Decoder(_Complaint)


class EventStreamFramer:
    """:class:`ccr.application.ports.dialect.Framer` of Bedrock's replies: a frame is an event of the model's own API.

    An exception becomes an ``error`` event of the Messages API. What is no event stream, or a message over ``limit``
    bytes, raises UpstreamProtocolError once the frames before it have been given out.
    """

    __slots__ = ("_buffer", "_error", "_headers", "_limit", "_total")

    def __init__(self, limit: int = DEFAULT_LIMIT) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._total = 0  # length of the message that has begun; 0 = its prelude is not there yet
        self._headers = 0
        self._error: UpstreamProtocolError | None = None

    @property
    def pending(self) -> bool:
        """Whether a message has begun that has not ended."""
        return bool(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that ``data`` completes. Raises UpstreamProtocolError."""
        if self._error is not None:
            raise self._error
        self._buffer += data
        frames: list[Frame] = []
        try:
            while (frame := self._next()) is not None:
                if frame.data:
                    frames.append(frame)
        except UpstreamProtocolError as error:
            self._error = error
            self._buffer.clear()
            if not frames:
                raise
        return frames

    def close(self) -> list[Frame]:
        """Return nothing: a part of a message is no message. Raises as feed()."""
        if self._error is not None:
            raise self._error
        self._buffer.clear()
        return []

    def _next(self) -> Frame | None:
        """Take one message off; a frame without data stands for one that says nothing to us."""
        buffer = self._buffer
        if not self._total:
            if len(buffer) < _PRELUDE.size:
                return None
            self._read_prelude()
        total = self._total
        if len(buffer) < total:
            return None
        message = bytes(buffer[:total])
        del buffer[:total]
        self._total = 0
        body = total - _CRC.size
        if crc32(message[:body]) != _CRC.unpack_from(message, body)[0]:
            raise UpstreamProtocolError("a message of the provider's event stream is damaged")
        start = _PRELUDE.size + self._headers
        return _frame(_read_headers(message[_PRELUDE.size : start]), message[start:body])

    def _read_prelude(self) -> None:
        total, headers, checksum = _PRELUDE.unpack_from(self._buffer)
        if crc32(self._buffer[: _LENGTHS.size]) != checksum or total < _LEAST + headers:
            raise UpstreamProtocolError("the provider's reply is not an event stream")
        if total > self._limit:
            raise UpstreamProtocolError(f"one event of the reply is longer than {self._limit} bytes")
        self._total, self._headers = total, headers


def _read_headers(data: bytes) -> dict[str, str]:
    """Return the headers that are text. Raises UpstreamProtocolError."""
    found: dict[str, str] = {}
    at = 0
    try:
        while at < len(data):
            name = data[at + 1 : at + 1 + data[at]].decode()
            at += 1 + data[at]
            kind = data[at]
            at += 1
            if kind in _SIZED:
                size = int.from_bytes(data[at : at + 2])
                at += 2
            else:
                size = _SIZES[kind]
            if at + size > len(data):
                break
            if kind == _STRING:
                found[name] = data[at : at + size].decode()
            at += size
        else:
            return found
    except (ValueError, LookupError) as error:
        raise UpstreamProtocolError("headers of the provider's event stream are damaged") from error
    raise UpstreamProtocolError("headers of the provider's event stream are damaged")


_NOTHING = Frame(b"", b"")


def _frame(headers: Mapping[str, str], payload: bytes) -> Frame:
    kind = headers.get(":message-type", "event")
    if kind != "event":
        return _error(headers, payload)
    if headers.get(":event-type") != "chunk":
        return _NOTHING  # events of a later day are not ours to judge
    try:
        data = json.decode_tolerant(_CHUNK, payload).data
    except ValueError as error:
        raise UpstreamProtocolError("an event of the provider's event stream holds no bytes") from error
    try:
        return Frame(_EVENT.decode(data).type.encode("utf-8", "replace"), data)
    except (ValueError, RecursionError):
        return Frame(b"", data)  # the decoder of the dialect says what is wrong with it


def _error(headers: Mapping[str, str], payload: bytes) -> Frame:
    """``exception``: its name in a header, its message in the payload; ``error``: both in headers."""
    name = headers.get(":exception-type") or headers.get(":error-code", "")
    try:
        said = json.decode_tolerant(_COMPLAINT, payload)
    except ValueError:
        said = _Complaint()
    message = said.message or said.Message or headers.get(":error-message", "") or name
    detail = {
        "type": amazon_type(name) or "api_error",
        "message": message or "the provider broke the reply off",
    }
    return Frame(b"error", json.encode_wire({"type": "error", "error": detail}))


def write_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """Return one message whose headers are all text."""
    lines = []
    for name, value in headers.items():
        key, text = name.encode(), value.encode()
        lines.append(bytes([len(key)]) + key + bytes([_STRING]) + len(text).to_bytes(2) + text)
    block = b"".join(lines)
    lengths = _LENGTHS.pack(_LEAST + len(block) + len(payload), len(block))
    message = lengths + _CRC.pack(crc32(lengths)) + block + payload
    return message + _CRC.pack(crc32(message))
