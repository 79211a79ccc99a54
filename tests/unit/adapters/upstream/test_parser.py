from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.upstream.parser import MAX_HEAD_BYTES, MAX_HEADERS, ResponseParser
from ccr.domain.errors import UpstreamProtocolError, UpstreamUnavailableError

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\nx-a: 1\r\nX-A: 2\r\n\r\n"
    b"2;ext=1\r\nhe\r\n3\r\nllo\r\n0\r\ntrailer: t\r\n\r\n"
)
EARLY = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n" + LENGTH
OLD = b"HTTP/1.0 200 OK\r\n\r\nhello"

CASES = {
    "length": (LENGTH, {"content-type": "a/b", "content-length": "5"}, True),
    "chunked": (CHUNKED, {"transfer-encoding": "chunked", "x-a": "1, 2"}, True),
    "early": (EARLY, {"content-type": "a/b", "content-length": "5"}, True),
    "http/1.0": (OLD, {}, False),
    "close": (
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\nhello",
        {"connection": "close", "content-length": "5"},
        False,
    ),
}


def parse(pieces: list[bytes], *, head_only: bool = False, fin: bool = True) -> tuple[ResponseParser, bytes]:
    parser = ResponseParser("up:1", head_only=head_only)
    body = b""
    for piece in pieces:
        parser.feed(piece)
        body += parser.take()
    keep_alive = parser.keep_alive
    if fin:
        parser.end()
    body += parser.take()
    parser.keep_alive = keep_alive and parser.ended
    return parser, body


@pytest.mark.parametrize("step", [1, 2, 3, 7, 10_000])
@pytest.mark.parametrize("name", CASES)
def test_parses_at_every_chunking(name: str, step: int) -> None:
    raw, headers, keep_alive = CASES[name]

    parser, body = parse([raw[i : i + step] for i in range(0, len(raw), step)])

    assert parser.failure is None
    assert (200, headers, b"hello", True) == (parser.status, parser.headers, body, parser.ended)
    assert keep_alive == parser.keep_alive
    assert not parser.surplus


@given(st.data())
def test_any_truncation_is_a_failure(data: st.DataObject) -> None:
    raw = data.draw(st.sampled_from([LENGTH, CHUNKED, EARLY]))
    cut = data.draw(st.integers(0, len(raw) - 1))

    parser, _ = parse([raw[:cut]])

    assert parser.failure is not None
    expected = UpstreamProtocolError if parser.head_done else UpstreamUnavailableError
    assert type(parser.failure) is expected


@given(st.lists(st.binary(max_size=200), max_size=5))
def test_junk_never_escapes(pieces: list[bytes]) -> None:
    parser, _ = parse(pieces)

    assert parser.failure is not None
    assert parser.failure.message.isprintable()


@pytest.mark.parametrize("extra", [b"HTTP/1.1 200 OK\r\n", b"x", b"\0\0"])
@pytest.mark.parametrize("together", [True, False])
def test_bytes_after_the_end_are_surplus(extra: bytes, together: bool) -> None:
    parser, body = parse([LENGTH + extra] if together else [LENGTH, extra])

    assert (body, parser.ended, parser.surplus) == (b"hello", True, True)
    assert parser.failure is None


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_a_bodiless_status_ends_at_once(status: bytes) -> None:
    parser, body = parse([b"HTTP/1.1 " + status + b" x\r\n\r\n"], fin=False)

    assert (parser.ended, body, parser.keep_alive) == (True, b"", True)


def test_head_has_no_body_whatever_the_headers_say() -> None:
    parser, _ = parse([LENGTH.removesuffix(b"hello")], head_only=True, fin=False)
    assert (parser.ended, parser.keep_alive, parser.surplus) == (True, True, False)

    parser, body = parse([LENGTH], head_only=True, fin=False)
    assert (parser.ended, body, parser.surplus) == (True, b"", True)


def test_a_reset_is_told_from_an_end() -> None:
    parser = ResponseParser("up:1")
    parser.feed(LENGTH[:-4])
    parser.lost()

    assert parser.take() == b"h"
    assert isinstance(parser.failure, UpstreamUnavailableError)

    parser = ResponseParser("up:1")
    parser.feed(OLD)
    parser.lost()
    assert isinstance(parser.failure, UpstreamUnavailableError)


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\ncontent-length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nna me: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: \0\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(raw: bytes) -> None:
    parser, _ = parse([raw], fin=False)

    assert isinstance(parser.failure, UpstreamProtocolError)
    assert "up:1" in parser.failure.message


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"x" * (MAX_HEAD_BYTES + 1) + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: " + b"x" * (MAX_HEAD_BYTES + 1),
        b"HTTP/1.1 100 Continue\r\n\r\n" * 4000,
        CHUNKED.removesuffix(b"\r\n") + b"t: " + b"x" * (MAX_HEAD_BYTES + 5000),
        CHUNKED[: CHUNKED.index(b"ext")] + b"x" * (MAX_HEAD_BYTES + 5000),
    ],
    ids=["many", "long", "endless", "1xx", "trailer", "extension"],
)
def test_headers_are_bounded(raw: bytes) -> None:
    parser = ResponseParser("up:1")
    fed = 0
    for i in range(0, len(raw), 1000):
        parser.feed(raw[i : i + 1000])
        fed += 1000
        if parser.failure is not None:
            break

    assert isinstance(parser.failure, UpstreamProtocolError)
    assert fed <= MAX_HEAD_BYTES + 3000


def test_closing_makes_reading_on_an_error() -> None:
    parser = ResponseParser("up:1")
    parser.close()
    assert isinstance(parser.failure, UpstreamUnavailableError)

    parser, _ = parse([LENGTH])
    parser.close()
    assert parser.failure is None
