"""Requests that no well-behaved client library would write."""

from __future__ import annotations

import re
import socket
import threading
import time
from pathlib import Path

import pytest

from tests.integration.http.conftest import eventually
from tests.support.gateway_process import GatewayProcess

HOST = b"Host: 127.0.0.1\r\n"
GET = b"GET /health HTTP/1.1\r\n"
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
"""Answered as if it asked for nothing: no socket is opened."""
KEYED = HOST + b"x-api-key: the-right-key-123\r\nContent-Type: application/json\r\n"


def spoken(port: int, data: bytes, seconds: float = 5.0) -> bytes:
    """Return the first that is answered; empty = closed without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as opened:
        opened.sendall(data)
        return opened.recv(65536)


POST = b"POST /v1/messages HTTP/1.1\r\n" + KEYED
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SAID = b'{"model": "demo,demo", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}'
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(SAID), SAID)
NEXT = b"GET /health HTTP/1.1\r\n" + HOST + b"\r\n"
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


def conversation(port: int, data: bytes, seconds: float = 2.0) -> tuple[list[int], bool, bytes]:
    """Return the statuses of all answers, whether the connection was closed then, and what was said."""
    said, closed = b"", False
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as opened:
        opened.sendall(data)
        try:
            while not closed:
                piece = opened.recv(65536)
                said += piece
                closed = not piece
        except TimeoutError:
            pass
        except ConnectionResetError:
            closed = True
    return [int(status) for status in _STATUS.findall(said)], closed, said


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 2\r\nContent-Length: 3\r\n",
        b"Content-Length: 2, 3\r\n",
        b"Content-Length: +2\r\n",
        b"Content-Length: -2\r\n",
        b"Content-Length: 0x2\r\n",
        b"Content-Length: 99999999999999999999999\r\n",
        b"Content-Length : 2\r\n",
        b"Content-Length: 2\r\nx-a: b\r\n c\r\n",
        b"Content-Length: 2\r\nx-a: b\rc\r\n",
        b"Content-Length: 2\r\nx-a: b\0c\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
    ],
    ids=repr,
)
def test_a_length_that_can_be_read_in_two_ways_is_the_last_word_on_its_connection(
    demo: GatewayProcess, framing: bytes
) -> None:
    data = POST + framing + b"\r\n" + (CHUNKS if b"ransfer" in framing else b"{}") + NEXT
    statuses, closed, _ = conversation(demo.port, data)

    assert (statuses, closed) == ([400], True)


@pytest.mark.parametrize("length", [b"0", b"2", b"%d" % len(CHUNKS)])
@pytest.mark.parametrize("first", [True, False])
def test_a_length_beside_chunks_is_ignored_and_nothing_follows(
    demo: GatewayProcess, length: bytes, first: bool
) -> None:
    """RFC 9112 6.3: whoever takes such a request must close after it."""
    both = [b"Content-Length: " + length + b"\r\n", b"Transfer-Encoding: chunked\r\n"]
    data = POST + b"".join(both if first else reversed(both)) + b"\r\n" + CHUNKS + NEXT
    statuses, closed, _ = conversation(demo.port, data)

    assert (statuses, closed) == ([200], True)


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"0x2\r\n{}\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}0\r\n\r\n",
        b"%x;" % len(SAID) + b"a" * 40_000 + b"\r\n" + SAID + b"\r\n0\r\n\r\n",
        b"%x\r\n%b\r\n0\r\n" % (len(SAID), SAID) + b"x: y\r\n" * 200 + b"\r\n",
    ],
    ids=["junk", "negative", "prefix", "huge", "no end", "40 KB extension", "200 trailers"],
)
@pytest.mark.parametrize(
    "path", [b"/v1/messages", b"/v1/chat/completions", b"/api/route/explain", b"/api/providers"]
)
def test_chunks_that_make_no_sense_are_a_bad_request_in_the_callers_shape(
    demo: GatewayProcess, path: bytes, chunks: bytes
) -> None:
    data = CHUNKED.replace(b"/v1/messages", path) + chunks + NEXT
    statuses, closed, said = conversation(demo.port, data)

    assert (statuses, closed) == ([400], True)
    assert b"the request body has no proper end" in said
    assert b"request-id" in said


def test_what_was_sent_behind_a_refused_body_is_not_read_as_a_request(demo: GatewayProcess) -> None:
    keyless = POST.replace(b"x-api-key: the-right-key-123\r\n", b"")
    for framing, payload in (
        (b"Content-Length: %d\r\n" % len(SAID), SAID),
        (b"Transfer-Encoding: chunked\r\n", CHUNKS),
    ):
        statuses, closed, said = conversation(demo.port, keyless + framing + b"\r\n" + payload + NEXT)
        assert (statuses, closed) == ([401], True)
        assert b"connection: close" in said


def test_pipelined_requests_are_answered_in_order(demo: GatewayProcess) -> None:
    post = POST + b"Content-Length: %d\r\n\r\n" % len(SAID) + SAID
    statuses, _, said = conversation(
        demo.port, NEXT + post + NEXT + b"GET /nope HTTP/1.1\r\n" + KEYED + b"\r\n"
    )

    assert statuses == [200, 200, 200, 404]
    assert said.index(b'"status":"ok"') < said.index(b'"type":"message"') < said.index(b"not_found_error")


@pytest.mark.parametrize(
    "data, status",
    [
        (b"GET /health HTTP/1.0\r\n" + HOST + b"\r\n", 200),
        (b"GET /health HTTP/1.0\r\n\r\n", 400),
        (b"GET http://127.0.0.1/health HTTP/1.1\r\n" + HOST + b"\r\n", 200),
        (b"GET http://127.0.0.1/health HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 200_000 + b"\r\n\r\n", 431),
        (b"GET /health HTTP/1.1\r\n" + HOST + b"x: a\r\n" * 150 + b"\r\n", 431),
        (
            b"POST /v1/messages HTTP/1.1\r\n" + KEYED + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            400,
        ),
        (
            b"POST /v1/messages HTTP/1.1\r\n"
            + KEYED
            + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
            415,
        ),
        (b"nonsense\r\n\r\n", 400),
        (GET + HOST + b"x: a\r\n" * 99 + b"\r\n", 200),
        (GET + HOST + b"x: a\r\n" * 100 + b"\r\n", 431),
        (GET + HOST + b"x: " + b"a" * 60_000 + b"\r\n\r\n", 200),
        (GET + HOST + b"x: " + b"a" * 65_536 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (GET + b"\r\n", 400),
        (GET + b"Host: \r\n\r\n", 400),
        (GET + HOST + HOST + b"\r\n", 400),
        (GET + HOST + b"x-\xe4: b\r\n\r\n", 400),
        (b"GET /health HTTP/3.0\r\n" + HOST + b"\r\n", 400),
        (b"G@T /health HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"CONNECT 10.0.0.1:22 HTTP/1.1\r\n" + HOST + b"\r\n", 401),
        (b"GET /../../etc/passwd HTTP/1.1\r\n" + HOST + b"\r\n", 401),
        (GET + HOST + WEBSOCKET, 200),
    ],
)
def test_odd_requests_get_a_status(demo: GatewayProcess, data: bytes, status: int) -> None:
    assert spoken(demo.port, data).split(b" ")[1] == str(status).encode()


def test_a_body_that_stands_still_is_given_up_and_readiness_ends_before_the_process(tmp_path: Path) -> None:
    config = {
        "Router": {"default": "demo,demo"},
        "Limits": {"bodyIdleMs": 200},
        "Timeouts": {"drainWaitMs": 2000},
    }
    with GatewayProcess(tmp_path / "home", config) as gateway:
        half = (
            b"POST /v1/messages HTTP/1.1\r\n"
            + HOST
            + b"Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert b" 400 " in spoken(gateway.port, half).split(b"\r\n")[0]

        codes: list[int | None] = []
        ending = threading.Thread(target=lambda: codes.append(gateway.stop()))
        ending.start()
        assert eventually(lambda: gateway.status_of("/ready") == 503, 1.9)
        assert gateway.status_of("/health") == 200
        ending.join(20)

    assert codes == [0]


def test_a_body_that_trickles_is_given_up_at_its_limit(tmp_path: Path) -> None:
    config = {"Router": {"default": "demo,demo"}, "Limits": {"bodyIdleMs": 2000, "bodyTotalMs": 1000}}
    head = (
        b"POST /v1/messages HTTP/1.1\r\n"
        + HOST
        + b"Content-Type: application/json\r\nContent-Length: 999\r\n\r\n"
    )
    with (
        GatewayProcess(tmp_path / "home", config) as gateway,
        socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as opened,
    ):
        opened.sendall(head)
        said = b""
        for _ in range(100):
            opened.sendall(b" ")
            opened.settimeout(0.1)
            try:
                said = opened.recv(65536)
                break
            except TimeoutError:
                continue

    assert b" 400 " in said.split(b"\r\n")[0]
    assert b"did not arrive in time" in said


@pytest.mark.slow
@pytest.mark.parametrize(
    "begun", [b"", b"GET /health HTTP/1.1\r\n" + HOST + b"x-a: "], ids=["silent", "slow"]
)
def test_a_connection_without_a_whole_head_is_closed_in_half_a_minute(
    demo: GatewayProcess, begun: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", demo.port), timeout=90) as opened:
        began = time.monotonic()
        opened.sendall(begun or NEXT)
        if not begun:
            assert b"200" in opened.recv(65536)
        trickle = threading.Event()

        def drip() -> None:
            while begun and not trickle.wait(1):
                opened.sendall(b"a")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            while opened.recv(65536):
                pass
        except ConnectionResetError:
            pass
        took = time.monotonic() - began
        trickle.set()
        thread.join(5)

    assert 20 < took < 80
