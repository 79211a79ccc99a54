"""Who may come in, and how: raw requests against the real process."""

from __future__ import annotations

import itertools
import socket
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.gateway_process import GatewayProcess

KEY = "the-right-key-123"
HELLO = {"model": "x", "max_tokens": 50, "messages": [{"role": "user", "content": "hi"}]}


def raw(gateway: GatewayProcess, data: bytes, *, more: bytes = b"") -> tuple[int, bytes]:
    """Send bytes as they are; return status and body."""
    url = httpx.URL(gateway.base_url)
    with socket.create_connection((url.host, url.port or 80), timeout=10) as line:
        line.sendall(data)
        try:
            if more:
                line.sendall(more)
        except OSError:
            pass
        answer = b""
        try:
            while chunk := line.recv(65536):
                answer += chunk
        except OSError:
            pass
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head else 0, body


def host_of(gateway: GatewayProcess) -> bytes:
    return gateway.base_url.removeprefix("http://").encode()


def lines(*parts: bytes) -> bytes:
    return b"\r\n".join([*parts, b"connection: close", b"", b""])


def kind_of(body: bytes) -> str:
    found = msgspec.json.decode(body)
    assert found["type"] == "error"
    return str(found["error"]["type"])


@pytest.mark.parametrize(
    "hosts, status",
    [([], 400), ([b"evil.test"], 421), ([b"127.0.0.1", b"127.0.0.1"], 400), ([b"127.0.0.1/x"], 421)],
)
@pytest.mark.parametrize("path", [b"/health", b"/nothing/here", b"/v1/messages"])
def test_a_host_that_is_not_ours_is_refused_on_every_path(
    demo: GatewayProcess, hosts: list[bytes], status: int, path: bytes
) -> None:
    got, body = raw(demo, lines(b"GET " + path + b" HTTP/1.1", *(b"host: " + host for host in hosts)))

    assert got == status
    assert not body or kind_of(body) == "invalid_request_error"


def test_length_and_chunks_together_are_refused(demo: GatewayProcess) -> None:
    request = lines(
        b"POST /v1/messages HTTP/1.1",
        b"host: " + host_of(demo),
        b"content-type: application/json",
        b"x-api-key: " + KEY.encode(),
        b"content-length: 4",
        b"transfer-encoding: chunked",
    )

    assert raw(demo, request, more=b"0\r\n\r\n")[0] == 400


def test_a_body_that_is_too_large_gets_an_answer_that_can_be_read(demo: GatewayProcess) -> None:
    request = lines(
        b"POST /v1/messages HTTP/1.1",
        b"host: " + host_of(demo),
        b"content-type: application/json",
        b"x-api-key: " + KEY.encode(),
        b"content-length: 40000000",
    )
    status, body = raw(demo, request, more=b" " * 40_000_000)

    assert (status, kind_of(body)) == (413, "request_too_large")


@pytest.mark.parametrize(
    "headers, status",
    [
        ({}, 401),
        ({"x-api-key": "wrong"}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"x-api-key": KEY}, 200),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": "Bearer wrong", "x-api-key": KEY}, 200),
        ({"x-api-key": KEY, "origin": "https://evil.test"}, 403),
        ({"x-api-key": KEY, "origin": "null"}, 403),
        ({"x-api-key": KEY, "content-type": "text/plain"}, 415),
        ({"x-api-key": KEY, "content-encoding": "gzip"}, 415),
    ],
)
def test_the_guard(demo: GatewayProcess, headers: dict[str, str], status: int) -> None:
    sent = {"content-type": "application/json", **headers}
    reply = httpx.post(
        f"{demo.base_url}/v1/messages", content=msgspec.json.encode(HELLO), headers=sent, trust_env=False
    )

    assert reply.status_code == status
    if status != 200:
        assert reply.json()["type"] == "error"
        assert reply.headers["request-id"]


def test_every_described_route_asks_for_the_key(tmp_path: Path) -> None:
    free = {"/", "/api/hello", "/health", "/ready"}
    wrong = 0
    with GatewayProcess(tmp_path / "home", {"APIKEY": KEY, "Router": {"default": "demo,demo"}}) as gateway:
        described: dict[str, Any] = httpx.get(
            f"{gateway.base_url}/openapi.json", headers={"x-api-key": KEY}, trust_env=False
        ).json()
        for path, item in described["paths"].items():
            url = gateway.base_url + path.replace("{request_id}", "req_x")
            for method, shown in itertools.product(item, (None, "wrong")):
                headers = {"content-type": "application/json", **({"x-api-key": shown} if shown else {})}
                reply = httpx.request(method.upper(), url, headers=headers, trust_env=False)
                wrong += bool(shown) and path not in free
                refused = 429 if shown and wrong > 20 else 401
                assert reply.status_code == (200 if path in free else refused), (method, path)


@pytest.mark.parametrize(
    "method, path, status",
    [
        ("HEAD", "/", 200),
        ("GET", "/", 200),
        ("HEAD", "/api/hello", 200),
        ("GET", "/health", 200),
        ("GET", "/ready", 200),
        ("GET", "/v1/models?limit=1000", 200),
        ("GET", "/v1/messages", 405),
        ("DELETE", "/v1/messages/count_tokens", 405),
        ("POST", "/health", 405),
        ("GET", "/nothing", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/api/status", 200),
        ("GET", "/api/route/decisions/req_unknown", 404),
    ],
)
def test_every_answer_is_in_the_caller_s_dialect(
    demo: GatewayProcess, method: str, path: str, status: int
) -> None:
    headers = {"x-api-key": KEY, "content-type": "application/json"}
    reply = httpx.request(method, demo.base_url + path, headers=headers, trust_env=False)

    assert reply.status_code == status
    if status >= 400:
        assert reply.json()["type"] == "error"
    if status == 405:
        assert reply.headers["allow"]


@pytest.mark.parametrize(
    "content, says",
    [
        (b"", "JSON"),
        (b"{", "JSON"),
        (b"[]", "object"),
        (b"\xff\xfe", "UTF-8"),
        (b'{"messages": []}', "model"),
        (b'{"model": "x", "messages": {}}', "messages"),
        (b'{"model":"nobody,nothing","messages":[{"role":"user","content":"a"}]}', "unknown provider"),
    ],
)
def test_a_bad_request_says_what_is_wrong(demo: GatewayProcess, content: bytes, says: str) -> None:
    reply = httpx.post(
        f"{demo.base_url}/v1/messages",
        content=content,
        headers={"x-api-key": KEY, "content-type": "application/json"},
        trust_env=False,
    )

    assert (reply.status_code, reply.json()["error"]["type"]) == (400, "invalid_request_error")
    assert says in reply.json()["error"]["message"]


def test_the_explanation_of_a_decision_can_be_had_by_its_id(demo: GatewayProcess) -> None:
    headers = {"x-api-key": KEY}
    asked = httpx.post(f"{demo.base_url}/v1/messages", json=HELLO, headers=headers, trust_env=False)
    request_id = asked.headers["request-id"]
    told = httpx.get(
        f"{demo.base_url}/api/route/decisions/{request_id}", headers=headers, trust_env=False
    ).json()
    explained = httpx.post(
        f"{demo.base_url}/api/route/explain", json=HELLO, headers=headers, trust_env=False
    ).json()

    assert (told["target"], told["scenario"]) == ("demo,demo", "default")
    assert [verdict["rule"] for verdict in told["verdicts"]] == [v["rule"] for v in explained["verdicts"]]
