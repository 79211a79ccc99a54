"""What comes behind the head of a reply is not held back."""

from __future__ import annotations

import socket
import time
from contextlib import closing
from pathlib import Path
from statistics import quantiles

import msgspec

from ccr.adapters.system.listeners import close_all, open_listeners
from tests.support.gateway_process import GatewayProcess

_REQUESTS = 40
"""A connection's first segments are acknowledged at once: what is held back shows later only."""
_DELAYED_ACK = 0.04
"""Seconds, on Linux."""


def test_what_is_accepted_sends_at_once() -> None:
    (listener,) = open_listeners("127.0.0.1", 0, 1)
    try:
        listener.listen()
        listener.setblocking(True)
        with closing(socket.create_connection(listener.getsockname())), closing(listener.accept()[0]) as met:
            assert met.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    finally:
        close_all([listener])


def test_the_first_text_does_not_wait_for_the_clients_acknowledgement(tmp_path: Path) -> None:
    with GatewayProcess(tmp_path, {"Router": {"default": "demo,demo"}}) as gateway:
        taken = _first_texts(socket.create_connection(("127.0.0.1", gateway.port)))

    assert quantiles(taken, n=4)[0] < 0.75 * _DELAYED_ACK


def _first_texts(client: socket.socket) -> list[float]:
    body = msgspec.json.encode(
        {
            "model": "demo,demo",
            "max_tokens": 100,
            "stream": True,
            "messages": [{"role": "user", "content": "hello"}],
        }
    )
    head = f"POST /v1/messages HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    taken = []
    with closing(client):
        client.settimeout(30)
        for _ in range(_REQUESTS):
            began, said, first = time.monotonic(), b"", 0.0
            client.sendall(head.encode() + body)
            while not said.endswith(b"0\r\n\r\n"):
                said += client.recv(65536)
                if not first and b"text_delta" in said:
                    first = time.monotonic()
            taken.append(first - began)
    return taken
