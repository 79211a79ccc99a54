from __future__ import annotations

import socket
import ssl

import httpx
import pytest

from ccr.adapters.upstream.error_map import mapped_errors
from ccr.domain.errors import (
    GatewayError,
    UpstreamError,
    UpstreamProtocolError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)

_CUT = "peer closed connection without sending complete message body"


@pytest.mark.parametrize(
    "raised, expected, words",
    [
        (TimeoutError(), UpstreamTimeoutError, "did not connect within 5 s"),
        (httpx.ConnectTimeout("x"), UpstreamTimeoutError, "did not connect within 5 s"),
        (ConnectionRefusedError(111, "secret"), UpstreamUnavailableError, "refuses"),
        (ConnectionResetError(104, "secret"), UpstreamUnavailableError, "broke"),
        (socket.gaierror(-2, "secret"), UpstreamUnavailableError, "resolved"),
        (ssl.SSLError(1, "secret"), UpstreamUnavailableError, "TLS"),
        (ssl.SSLCertVerificationError(1, "secret"), UpstreamUnavailableError, "certificate"),
        (OSError(113, "No route to host"), UpstreamUnavailableError, "No route to host"),
        (httpx.ConnectError("secret"), UpstreamUnavailableError, "reached"),
        (httpx.ReadError("secret"), UpstreamUnavailableError, "broke"),
        (httpx.ProxyError("secret"), UpstreamUnavailableError, "proxy"),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            UpstreamUnavailableError,
            "",
        ),
        (httpx.RemoteProtocolError(_CUT), UpstreamProtocolError, "cut short"),
        (httpx.RemoteProtocolError("secret"), UpstreamProtocolError, "proper HTTP"),
    ],
)
def test_maps(raised: Exception, expected: type[UpstreamError], words: str) -> None:
    with pytest.raises(expected) as caught, mapped_errors("up:1", "connect", 5.0):
        raise raised

    message = caught.value.message
    assert "up:1" in message
    assert words in message
    assert "secret" not in message
    assert raised is caught.value.__cause__


def test_finds_the_system_error_below_httpx() -> None:
    def fail() -> None:
        try:
            raise ConnectionRefusedError(111, "x")
        except OSError as exc:
            raise httpx.ConnectError("x") from exc

    with pytest.raises(UpstreamUnavailableError, match="refuses"), mapped_errors("up:1", "connect"):
        fail()


def test_without_a_limit_the_message_names_none() -> None:
    with pytest.raises(UpstreamTimeoutError, match="in time"), mapped_errors("up:1", "connect"):
        raise TimeoutError


def test_ours_and_faults_pass_through() -> None:
    for raised in (GatewayError("x"), ZeroDivisionError()):
        with pytest.raises(type(raised)), mapped_errors("up:1", "connect"):
            raise raised
