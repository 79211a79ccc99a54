"""A client that takes nothing of its reply: the provider waits, then both connections end."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.scripts import in_order, text
from tests.support.stage import KINDS, Stage, open_stage

WHOLE = 24 * 1024 * 1024
"""Bytes; what lies in the buffers of two kernels and of the gateway is a third of it."""
SENT_WITHIN = 1.0


@pytest.fixture(params=KINDS)
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    limits = {"Timeouts": {"sendMs": int(SENT_WITHIN * 1000)}}
    with open_stage(str(request.param), tmp_path / "home", config=limits) as opened:
        opened.play(in_order(text("x" * WHOLE, pieces=1500)))
        yield opened


def asked(stage: Stage) -> socket.socket:
    assert stage.gateway is not None
    data = msgspec.json.encode(body())
    opened = socket.create_connection(("127.0.0.1", stage.gateway.port), timeout=10)
    opened.sendall(
        b"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(data), data)
    )
    return opened


def test_it_is_given_up(stage: Stage) -> None:
    with asked(stage) as client:
        assert eventually(lambda: bool(stage.upstream.requests), 10)
        (request,) = stage.upstream.requests
        assert eventually(lambda: request.disconnected, 20 * SENT_WITHIN), "the provider still writes"
        assert not request.finished

        if sys.platform == "linux":  # elsewhere no kernel closes it for us
            client.settimeout(10)
            with pytest.raises(ConnectionResetError):
                while client.recv(1 << 20):
                    pass

    logs = Path(stage.gateway.home if stage.gateway else "") / "logs"
    assert eventually(
        lambda: b'"outcome":"client_closed"' in b"".join(p.read_bytes() for p in logs.glob("*.log"))
    )


def test_one_that_reads_slowly_is_not(stage: Stage) -> None:
    with asked(stage) as client:
        got = 0
        until = time.monotonic() + 4 * SENT_WITHIN
        while time.monotonic() < until:
            got += len(client.recv(200_000))
            time.sleep(SENT_WITHIN / 10)
        while got < WHOLE:
            piece = client.recv(1 << 20)
            assert piece, "the gateway has closed"
            got += len(piece)
