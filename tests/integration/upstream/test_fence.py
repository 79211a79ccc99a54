"""Names that lead where nothing of ours may go, and a name server that changes its mind."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ccr.adapters.upstream.fenced import FencedBackend
from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.ssrf import Fence
from ccr.adapters.upstream.tls import client_context
from ccr.domain.errors import UpstreamUnavailableError
from tests.integration.upstream.servers import Talk, ok, request, serving
from tests.integration.upstream.test_tls import certificate, server_side

__all__ = ["certificate", "server_side"]

pytestmark = pytest.mark.anyio

FORBIDDEN = "leads to an address that is not called"
KEY = (("authorization", "Bearer the-key"),)
Names = Callable[..., None]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """A name server by script: each look-up of a name takes its next answer; the last one stays."""
    known: dict[str, list[list[str]]] = {}
    real = socket.getaddrinfo

    def look_up(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        if host not in known:
            return real(host, port, *args, **more)
        answers = known[host]
        addresses = answers.pop(0) if len(answers) > 1 else answers[0]
        return [entry for address in addresses for entry in real(address, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    def say(name: str, *answers: list[str]) -> None:
        known[name] = list(answers)

    return say


@pytest.mark.parametrize(
    "address", ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "fe80::1"]
)
async def test_a_name_that_leads_to_metadata_is_not_called(names: Names, address: str) -> None:
    names("api.test", [address])
    upstream = HttpUpstream()

    with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN) as told:
        await upstream.open(request("http://api.test/", headers=KEY))

    assert told.value.unreached
    assert upstream.stats.direct.dialled == 0


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[::ffff:a9fe:a9fe]",
        "[fe80::1]",
        "metadata.google.internal",
        "2852039166",
        "0xa9fea9fe",
    ],
)
async def test_nor_is_it_by_any_spelling_in_the_url(host: str) -> None:
    upstream = HttpUpstream()

    with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN):
        await upstream.open(request(f"http://{host}/latest/meta-data/", headers=KEY))


async def test_a_name_is_judged_at_every_connection(names: Names) -> None:
    async def once(talk: Talk) -> None:
        await talk.say(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")

    names("api.test", ["127.0.0.1"], ["169.254.169.254"])
    upstream = HttpUpstream()
    async with serving(once) as server:
        first = await upstream.open(request(f"http://api.test:{server.port}/"))
        assert await first.read(9) == b"ok"
        with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN):
            await upstream.open(request(f"http://api.test:{server.port}/", headers=KEY))

        assert server.connections == 1
    await upstream.aclose()


async def test_a_name_with_good_addresses_too_is_called_at_those(names: Names) -> None:
    names("api.test", ["169.254.169.254", "127.0.0.1"])
    upstream = HttpUpstream()
    async with serving(ok) as server:
        response = await upstream.open(request(f"http://api.test:{server.port}/"))
        assert await response.read(9) == b"ok"
        assert f"host: api.test:{server.port}".encode() in server.heads[0]
    await upstream.aclose()


async def test_private_networks_are_blocked_when_told_but_not_an_address_in_the_url(names: Names) -> None:
    names("api.test", ["127.0.0.1"])
    upstream = HttpUpstream()
    upstream.configure(None, block_private=True)
    async with serving(ok) as server:
        for name in ("api.test", "localhost"):
            with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN):
                await upstream.open(request(f"http://{name}:{server.port}/", headers=KEY))
        assert server.connections == 0

        response = await upstream.open(request(f"{server.url}/"))
        assert await response.read(9) == b"ok"

        upstream.configure(None)
        response = await upstream.open(request(f"http://api.test:{server.port}/"))
        assert await response.read(9) == b"ok"
    await upstream.aclose()


async def test_tls_asks_for_the_name_at_the_address_that_was_judged(
    names: Names, certificate: Path, server_side: ssl.SSLContext
) -> None:
    names("localhost", ["127.0.0.1"])
    asked: list[str | None] = []
    server_side.sni_callback = lambda _socket, name, _context: asked.append(name)
    direct = HttpUpstream(context=client_context(ca_file=str(certificate)))
    async with serving(ok, tls=server_side) as server:
        response = await direct.open(request(f"https://localhost:{server.port}/"))
        assert await response.read(9) == b"ok"
    await direct.aclose()

    assert asked == ["localhost"]


async def test_a_proxy_is_judged_like_any_host_and_what_it_may_not_be_asked_for(names: Names) -> None:
    names("proxy.test", ["169.254.169.254"])
    upstream = HttpUpstream(proxy_url="http://proxy.test:3128")
    with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN) as told:
        await upstream.open(request("http://up.test/", headers=KEY))
    assert told.value.unreached

    async with serving(ok) as proxy:
        upstream.configure(f"http://127.0.0.1:{proxy.port}", block_private=True)
        with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN):
            await upstream.open(request("http://169.254.169.254/", headers=KEY))
        assert proxy.heads == []

        names("proxy.test", ["127.0.0.1"])
        upstream.configure(f"http://proxy.test:{proxy.port}", block_private=True)
        response = await upstream.open(request("http://up.test/", headers=KEY))
        assert await response.read(9) == b"ok"
    await upstream.aclose()


async def test_http_2_dials_by_the_same_rule(names: Names) -> None:
    names("api.test", ["169.254.169.254"])
    upstream = HttpUpstream(http2=["https://api.test"])

    with pytest.raises(UpstreamUnavailableError, match=FORBIDDEN) as told:
        await upstream.open(request("https://api.test/", headers=KEY))
    assert told.value.unreached
    await upstream.aclose()


async def test_a_stock_transport_tries_each_address(names: Names) -> None:
    names("api.test", ["127.0.0.2", "127.0.0.1"])
    async with serving(ok) as server:
        stream = await FencedBackend(Fence()).connect_tcp("api.test", server.port, timeout=5)
        peer = stream.get_extra_info("server_addr")
        await stream.aclose()

    assert peer[0] == "127.0.0.1"
