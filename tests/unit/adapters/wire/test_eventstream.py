from __future__ import annotations

import base64
import json
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.eventstream import EventStreamFramer, write_message
from ccr.application.ports.dialect import Frame
from ccr.domain.errors import UpstreamProtocolError

EVENT = {":message-type": "event", ":event-type": "chunk", ":content-type": "application/json"}
PING = b'{"type":"ping"}'
BROKEN = Frame(b"", b"BROKEN")


def chunk(data: bytes) -> bytes:
    payload = {"bytes": base64.b64encode(data).decode(), "p": "abcdef"}
    return write_message(EVENT, json.dumps(payload).encode())


def exception(name: str, payload: bytes = b'{"message":"no"}') -> bytes:
    return write_message({":message-type": "exception", ":exception-type": name}, payload)


def raw_message(headers: bytes, payload: bytes = b"") -> bytes:
    lengths = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    message = lengths + crc32(lengths).to_bytes(4, "big") + headers + payload
    return message + crc32(message).to_bytes(4, "big")


def read(pieces: list[bytes], limit: int = 10_000) -> list[Frame]:
    framer, frames = EventStreamFramer(limit), []
    try:
        for piece in pieces:
            frames += framer.feed(piece)
        frames += framer.close()
    except UpstreamProtocolError:
        return [*frames, BROKEN]
    return frames


def error_of(message: bytes) -> dict[str, str]:
    (frame,) = read([message])
    assert frame.event == b"error"
    said = json.loads(frame.data)
    assert said["type"] == "error"
    detail: dict[str, str] = said["error"]
    return detail


ALL_TYPES = (
    b"\x01a\x00\x01b\x01\x01c\x02!\x01d\x03!!\x01e\x04!!!!\x01f\x05!!!!!!!!\x01g\x06\x00\x03!!!"
    b"\x01h\x08!!!!!!!!\x01i\x09!!!!!!!!!!!!!!!!\x0b:event-type\x07\x00\x05chunk"
)
PAYLOAD = json.dumps({"bytes": base64.b64encode(PING).decode()}).encode()
DAMAGED = chunk(PING)[:-1] + b"\x00"

CASES = [
    (b"", []),
    (chunk(PING), [Frame(b"ping", PING)]),
    (
        chunk(b'{"type":"a"}') + chunk(b'{"type":"b"}'),
        [Frame(b"a", b'{"type":"a"}'), Frame(b"b", b'{"type":"b"}')],
    ),
    (chunk(b'{"x":1}'), [Frame(b"", b'{"x":1}')]),
    (chunk(b"[1"), [Frame(b"", b"[1")]),
    (raw_message(ALL_TYPES, PAYLOAD), [Frame(b"ping", PING)]),
    (
        write_message({":message-type": "event", ":event-type": "later"}, b"{}") + chunk(PING),
        [Frame(b"ping", PING)],
    ),
    (write_message({}, b""), []),
    (chunk(PING)[:-1], []),
    (chunk(PING) + b"\x00\x00", [Frame(b"ping", PING)]),
    (chunk(PING) + DAMAGED + chunk(PING), [Frame(b"ping", PING), BROKEN]),
    (DAMAGED, [BROKEN]),
    (b"<html><body>502</body></html>", [BROKEN]),
    (b"event: ping\ndata: {}\n\n", [BROKEN]),
    (write_message(EVENT, b'{"bytes":7}'), [BROKEN]),
    (write_message(EVENT, b'{"bytes":"%%%"}'), [BROKEN]),
    (write_message(EVENT, b"junk"), [BROKEN]),
    (raw_message(b"\x01a\x0a"), [BROKEN]),
    (raw_message(b"\x01a\x07\x00"), [BROKEN]),
    (raw_message(b"\x01a\x07\x00\x09x"), [BROKEN]),
    (raw_message(b"\x02\xff\xff\x00"), [BROKEN]),
    (raw_message(b"\x05a"), [BROKEN]),
]


@pytest.mark.parametrize("stream, expected", CASES)
def test_frames(stream: bytes, expected: list[Frame]) -> None:
    assert expected == read([stream])
    assert expected == read([stream[at : at + 1] for at in range(len(stream))])
    assert expected == read([b"", stream, b""])


def test_lengths_that_cannot_be_are_refused_by_the_prelude() -> None:
    lengths = (20).to_bytes(4, "big") + (5).to_bytes(4, "big")

    assert read([lengths + crc32(lengths).to_bytes(4, "big")]) == [BROKEN]


@given(
    st.lists(
        st.one_of(
            st.sampled_from([stream for stream, _ in CASES]),
            st.binary(max_size=200).map(chunk),
            st.sampled_from([exception("throttlingException")]),
            st.binary(max_size=20),
        ),
        max_size=6,
    ),
    st.data(),
)
def test_frames_do_not_depend_on_where_the_network_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    pieces = [stream[start:end] for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    assert read([stream]) == read(pieces)
    assert read([stream], 100) == read(pieces, 100)


@given(st.lists(st.binary(max_size=300)))
def test_every_payload_comes_through_as_it_was(payloads: list[bytes]) -> None:
    frames = read([b"".join(map(chunk, payloads))])

    assert [frame.data for frame in frames] == [payload for payload in payloads if payload]


def test_a_message_over_the_bound_is_refused_before_it_is_held() -> None:
    framer = EventStreamFramer(200)
    long = chunk(b"x" * 400)

    assert framer.feed(chunk(PING) + long[:12]) == [Frame(b"ping", PING)]
    assert not framer.pending
    with pytest.raises(UpstreamProtocolError, match="200 bytes"):
        framer.feed(b"")
    with pytest.raises(UpstreamProtocolError, match="200 bytes"):
        framer.close()


def test_a_part_of_a_message_is_no_message() -> None:
    framer = EventStreamFramer()
    framer.feed(chunk(PING)[:20])

    assert framer.pending
    assert framer.close() == []


@pytest.mark.parametrize(
    "name, kind",
    [
        ("throttlingException", "rate_limit_error"),
        ("serviceQuotaExceededException", "rate_limit_error"),
        ("serviceUnavailableException", "api_error"),
        ("modelStreamErrorException", "api_error"),
        ("internalServerException", "api_error"),
        ("validationException", "invalid_request_error"),
        ("modelTimeoutException", "timeout_error"),
        ("accessDeniedException", "permission_error"),
        ("somethingNewException", "api_error"),
    ],
)
def test_an_exception_is_an_error_event_of_the_messages_api(name: str, kind: str) -> None:
    assert error_of(exception(name)) == {"type": kind, "message": "no"}


@pytest.mark.parametrize(
    "message, said",
    [
        (exception("x", b'{"Message":"big"}'), "big"),
        (exception("throttlingException", b"junk"), "throttlingException"),
        (write_message({":message-type": "exception"}, b""), "the provider broke the reply off"),
        (
            write_message({":message-type": "error", ":error-code": "c", ":error-message": "m"}, b""),
            "m",
        ),
    ],
)
def test_what_an_exception_says(message: bytes, said: str) -> None:
    assert error_of(message) == {
        "type": "api_error" if b"throttling" not in message else "rate_limit_error",
        "message": said,
    }


def test_the_official_reader_reads_what_is_written() -> None:
    eventstream = pytest.importorskip("botocore.eventstream")
    buffer = eventstream.EventStreamBuffer()
    buffer.add_data(chunk(PING) + exception("throttlingException"))
    first, second = list(buffer)

    assert first.headers == EVENT
    assert base64.b64decode(json.loads(first.payload)["bytes"]) == PING
    assert second.headers[":exception-type"] == "throttlingException"
