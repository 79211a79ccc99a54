"""TLS with certificates made for the test."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from ccr.adapters.upstream.http_upstream import HttpUpstream
from ccr.adapters.upstream.tls import client_context
from ccr.application.ports.upstream import Timeouts
from ccr.domain.errors import UpstreamTimeoutError, UpstreamUnavailableError
from tests.integration.upstream.servers import Talk, ok, request, serving, settled

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(shutil.which("openssl") is None, reason="needs the openssl command"),
]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate for localhost in one file."""
    where = tmp_path_factory.mktemp("tls")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(where / "key.pem"), "-out", str(where / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    both = where / "both.pem"
    both.write_bytes((where / "cert.pem").read_bytes() + (where / "key.pem").read_bytes())
    return both


@pytest.fixture
def server_side(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


async def test_speaks_http_1_1_over_a_kept_connection(certificate: Path, server_side: ssl.SSLContext) -> None:
    seen: list[tuple[str | None, str | None]] = []

    async def look(talk: Talk) -> None:
        tls = talk.writer.get_extra_info("ssl_object")
        seen.append((tls.selected_alpn_protocol(), tls.version()))
        await ok(talk)

    upstream = HttpUpstream(context=client_context(ca_file=str(certificate)))
    async with serving(look, tls=server_side) as server:
        for _ in range(3):
            response = await upstream.open(request(f"https://localhost:{server.port}/", body=bytes(300_000)))
            assert await response.read(9) == b"ok"
        assert (server.connections, upstream.stats.direct.idle) == (1, 1)
        assert {alpn for alpn, _ in seen} == {"http/1.1"}
        await upstream.aclose()
        assert await settled(lambda: server.alive == 0)


async def test_an_unknown_certificate_or_name_is_refused(
    certificate: Path, server_side: ssl.SSLContext
) -> None:
    async with serving(ok, tls=server_side) as server:
        stranger = HttpUpstream()
        with pytest.raises(UpstreamUnavailableError, match="certificate of localhost"):
            await stranger.open(request(f"https://localhost:{server.port}/"))
        friend = HttpUpstream(context=client_context(ca_file=str(certificate)))
        with pytest.raises(UpstreamUnavailableError, match=r"certificate of 127\.0\.0\.1"):
            await friend.open(request(f"https://127.0.0.1:{server.port}/"))

        assert not server.heads
        assert (stranger.stats.direct.open, friend.stats.direct.open) == (0, 0)


async def test_a_plain_server_is_no_tls_server() -> None:
    async def never(talk: Talk) -> None:
        await ok(talk)

    upstream = HttpUpstream()
    async with serving(never) as server:
        with pytest.raises((UpstreamUnavailableError, UpstreamTimeoutError)):
            await upstream.open(request(f"https://localhost:{server.port}/", timeouts=Timeouts(connect=0.3)))
        assert await settled(lambda: server.alive == 0)
