from __future__ import annotations

import pytest

from ccr.adapters.upstream.request import Origin, locate, write_head
from ccr.application.ports.upstream import HeaderPairs, UpstreamRequest
from ccr.domain.errors import InternalError


def head(
    url: str = "http://h/p", method: str = "POST", headers: HeaderPairs = (), body: bytes = b"{}"
) -> bytes:
    request = UpstreamRequest(method, url, headers, body)
    return write_head(request, locate(url))


def test_writes_one_head() -> None:
    expected = (
        b"POST /v1?a=b HTTP/1.1\r\nhost: h:8080\r\naccept-encoding: identity\r\n"
        b"content-length: 2\r\nx-key: k\r\n\r\n"
    )

    assert expected == head("http://h:8080/v1?a=b#part", headers=(("x-key", "k"),))


def test_what_the_transport_sets_cannot_be_set_by_others() -> None:
    pairs = (
        ("host", "evil"),
        ("content-length", "0"),
        ("transfer-encoding", "chunked"),
        ("connection", "close"),
    )

    assert head() == head(headers=pairs)


@pytest.mark.parametrize("method, body, has", [("GET", b"", False), ("POST", b"", True), ("GET", b"x", True)])
def test_length_is_said_when_there_may_be_a_body(method: str, body: bytes, has: bool) -> None:
    assert has == (b"content-length" in head(method=method, body=body))


@pytest.mark.parametrize(
    "url, origin, host",
    [
        ("https://Api.example.com", Origin("https", "api.example.com", 443), "api.example.com"),
        ("https://a:443/x", Origin("https", "a", 443), "a"),
        ("http://a:443/x", Origin("http", "a", 443), "a:443"),
        ("http://[::1]:8080/x", Origin("http", "::1", 8080), "[::1]:8080"),
        ("http://[::1]/", Origin("http", "::1", 80), "[::1]"),
    ],
)
def test_locates_the_origin(url: str, origin: Origin, host: str) -> None:
    place = locate(url)

    assert (origin, host) == (place.origin, place.host_header)


def test_an_origin_is_named_with_its_port() -> None:
    assert Origin("http", "::1", 80).name == "[::1]:80"
    assert Origin("http", "h", 80).name == "h:80"


@pytest.mark.parametrize(
    "url",
    [
        "http://h/\r\nx: y",
        "http://h/a b",
        "http://h/\0",
        "http://h/\x7f",
        "http://h/é",
        "ftp://h/",
        "/relative/url",
        "http:///x",
        "http://user:secret@h/",
        "http://h:99999/",
        "http://[::1/",
        "http://a\\b/",
    ],
)
def test_a_bad_url_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(InternalError) as caught:
        locate(url)

    assert url not in caught.value.message
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "pair",
    [
        ("x", "a\r\nb: c"),
        ("x", "a\nb"),
        ("x", "a\rb"),
        ("x", "a\0"),
        ("x y", "a"),
        ("x:", "a"),
        ("x\r\ny", "a"),
        ("", "a"),
        ("x", "\u20ac"),
    ],
)
def test_header_injection_is_refused(pair: tuple[str, str]) -> None:
    with pytest.raises(InternalError) as caught:
        head(headers=(("authorization", "secret"), pair))

    assert "secret" not in caught.value.message


def test_a_method_is_a_token() -> None:
    with pytest.raises(InternalError):
        head(method="GET / HTTP/1.1\r\n")
