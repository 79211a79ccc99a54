from __future__ import annotations

import httpx
import pytest

from ccr.adapters.upstream.fake import FakeUpstream, Reply, Script
from ccr.adapters.upstream.transport import UpstreamTransport
from ccr.domain.errors import (
    InternalError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

pytestmark = pytest.mark.anyio


def client(*scripts: Script) -> tuple[httpx.AsyncClient, FakeUpstream]:
    fake = FakeUpstream(*scripts)
    return httpx.AsyncClient(transport=UpstreamTransport(fake), trust_env=False), fake


async def test_httpx_over_the_port() -> None:
    http, fake = client(Reply(302, {"location": "/y", "content-type": "text/plain"}, [b"a", b"b"]))

    answer = await http.post(
        "http://up/x?q=1", json={}, headers={"X-Key": "k"}, timeout=httpx.Timeout(3, connect=2)
    )

    assert (answer.status_code, answer.text, answer.headers["location"]) == (302, "ab", "/y")
    request = fake.requests[0]
    assert (request.method, request.url, request.body) == ("POST", "http://up/x?q=1", b"{}")
    assert dict(request.headers)["x-key"] == "k"
    assert not {"host", "content-length", "accept-encoding", "connection"} & set(dict(request.headers))
    assert (request.timeouts.connect, request.timeouts.first_byte) == (2, 3)
    assert fake.responses[0].closed


async def test_streams_and_closes() -> None:
    http, fake = client(Reply(chunks=[b"a", b"b"]))

    async with http.stream("GET", "http://up/") as answer:
        pieces = answer.aiter_raw()
        assert await anext(pieces) == b"a"
        assert not fake.responses[0].closed

    assert fake.responses[0].closed


@pytest.mark.parametrize(
    "ours, theirs",
    [
        (UpstreamTimeoutError("x"), httpx.TimeoutException),
        (UpstreamUnavailableError("x"), httpx.NetworkError),
        (UpstreamProtocolError("x"), httpx.RemoteProtocolError),
        (InternalError("x"), httpx.LocalProtocolError),
    ],
)
async def test_errors_are_httpx_errors(ours: Exception, theirs: type[Exception]) -> None:
    http, _ = client(ours, Reply(chunks=[ours]))

    for _ in range(2):
        with pytest.raises(theirs):
            await http.get("http://up/")
