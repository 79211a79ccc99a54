"""Requests that no well-behaved client library would write."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from tests.integration.http.conftest import eventually
from tests.support.gateway_process import GatewayProcess

HOST = b"Host: 127.0.0.1\r\n"
KEYED = HOST + b"x-api-key: the-right-key-123\r\nContent-Type: application/json\r\n"


def spoken(port: int, data: bytes, seconds: float = 5.0) -> bytes:
    """Return the first that is answered; empty = closed without a word."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as opened:
        opened.sendall(data)
        return opened.recv(65536)


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
