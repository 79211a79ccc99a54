"""Replies of Bedrock that break off: what the client is told, and what is written down about it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx
import msgspec
import pytest

from tests.integration.doors.talk import THINKING
from tests.support.fake_clouds import FakeBedrock, unscripted
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.scripts import Failure, Reply, thinking

MODEL = "anthropic.claude-sonnet-4-5-20250929-v1:0"
TARGET = f"bedrock,{MODEL}"
LATE = 1500
"""A byte of the reply after the first thought."""
SLOW = 0.5
"""Seconds for which what went before has left for the client."""


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeBedrock]:
    fake = unscripted(FakeBedrock, key="canary-bedrock-api-key")
    assert isinstance(fake, FakeBedrock)
    with fake:
        yield fake


@pytest.fixture(autouse=True)
def as_it_was(upstream: FakeBedrock) -> Iterator[None]:
    yield
    upstream.bytes_cut = upstream.damaged = None


@pytest.fixture(scope="module")
def gateway(upstream: FakeBedrock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    entry = provider_entry("bedrock", upstream, (MODEL,), transformer={})
    config = {"LOG": True, "Providers": [entry], "Router": {"default": TARGET}}
    with GatewayProcess(tmp_path_factory.mktemp("breaks"), config) as process:
        yield process


def answer() -> Reply:
    return thinking("Let me look.", "and then")


def asked(gateway: GatewayProcess) -> tuple[httpx.Response, list[dict[str, Any]], dict[str, Any]]:
    """Ask for a stream; return the answer, its events, and the line of the log about it."""
    body = {
        "model": TARGET,
        "max_tokens": 4096,
        "stream": True,
        "thinking": THINKING,
        "messages": [{"role": "user", "content": "hello"}],
    }
    reply = httpx.post(f"{gateway.base_url}/v1/messages", json=body, timeout=20)
    said = [line.removeprefix("data: ") for line in reply.text.splitlines() if line.startswith("data: ")]
    return reply, [msgspec.json.decode(data) for data in said], line_of(gateway, reply.headers["request-id"])


def line_of(gateway: GatewayProcess, request_id: str) -> dict[str, Any]:
    """The line of the log about a request, which is written after the reply has gone."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        for file in (gateway.home / "logs").iterdir():
            for line in file.read_bytes().splitlines():
                found: dict[str, Any] = msgspec.json.decode(line)
                if found.get("id") == request_id and found.get("event") == "request":
                    return found
        time.sleep(0.05)
    raise AssertionError(f"nothing was written about {request_id}")


def shown(events: list[dict[str, Any]]) -> str:
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return "".join(delta.get("thinking", "") for delta in deltas)


EXCEPTIONS = [
    ("throttlingException", 429, "rate_limit_error", "upstream_limited"),
    ("modelStreamErrorException", 500, "api_error", "upstream_unavailable"),
    ("internalServerException", 500, "api_error", "upstream_unavailable"),
    ("serviceUnavailableException", 500, "api_error", "upstream_unavailable"),
    ("modelTimeoutException", 504, "timeout_error", "upstream_timeout"),
    ("validationException", 400, "invalid_request_error", "upstream_rejected"),
    ("exceptionOfALaterDay", 500, "api_error", "upstream_unavailable"),
]


@pytest.mark.parametrize("name, status, kind, error", EXCEPTIONS)
def test_an_exception_after_content_is_an_event_and_is_written_down(
    gateway: GatewayProcess, upstream: FakeBedrock, name: str, status: int, kind: str, error: str
) -> None:
    del status
    upstream.restart(lambda _seen, _n: answer().stalled(4, SLOW).failing(5, Failure(0, "said Amazon", name)))
    reply, events, line = asked(gateway)

    assert reply.status_code == 200
    assert shown(events) == "Let me look."
    assert [event["type"] for event in events].count("error") == 1
    assert events[-1] == {"type": "error", "error": {"type": kind, "message": "said Amazon"}}
    outcome = "timeout" if kind == "timeout_error" else "upstream_error"
    assert (line["outcome"], line["status"], line["error"]) == (outcome, 200, error)
    assert line["message"] == "said Amazon"
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("name, status, kind, error", EXCEPTIONS)
def test_an_exception_before_content_has_a_status_of_its_own(
    gateway: GatewayProcess, upstream: FakeBedrock, name: str, status: int, kind: str, error: str
) -> None:
    upstream.restart(lambda _seen, _n: answer().failing(1, Failure(0, "said Amazon", name)))
    reply, _, line = asked(gateway)

    assert reply.status_code == status
    assert reply.json()["error"] == {"type": kind, "message": "said Amazon"}
    assert (line["status"], line["error"]) == (status, error)
    # It had said 200, so somebody may have to pay: what may pass is sent again once, and the log says so.
    tries = 2 if error in ("upstream_unavailable", "upstream_limited") else 1
    assert [attempt["error"] for attempt in line["attempts"]] == [error] * tries
    assert all(attempt["maybe_billed"] for attempt in line["attempts"])
    assert len(upstream.requests) == tries


@pytest.mark.parametrize(
    "cut, damaged, words",
    [(LATE, None, "cut short"), (None, LATE, "damaged")],
    ids=["cut in a message", "one byte is another"],
)
def test_bytes_that_are_no_message_end_the_reply_as_an_error(
    gateway: GatewayProcess, upstream: FakeBedrock, cut: int | None, damaged: int | None, words: str
) -> None:
    upstream.restart(lambda _seen, _n: answer())
    upstream.bytes_cut, upstream.damaged = cut, damaged
    reply, events, line = asked(gateway)

    assert reply.status_code == 200
    assert shown(events)
    assert events[-1]["type"] == "error"
    assert events[-1]["error"]["type"] == "api_error"
    assert words in events[-1]["error"]["message"]
    assert not any(event["type"] == "message_stop" for event in events)
    assert (line["outcome"], line["error"]) == ("upstream_truncated", "upstream_protocol")


@pytest.mark.parametrize("at", [3, 9, 40], ids=["length", "checksum of the lengths", "header"])
def test_damage_before_content_is_a_bad_gateway(
    gateway: GatewayProcess, upstream: FakeBedrock, at: int
) -> None:
    upstream.restart(lambda _seen, _n: answer())
    upstream.damaged = at
    reply, _, line = asked(gateway)

    assert reply.status_code == 502
    assert reply.json()["error"]["type"] == "api_error"
    assert (line["outcome"], line["error"]) == ("upstream_error", "upstream_protocol")


def test_the_official_client_raises_what_amazon_said(gateway: GatewayProcess, upstream: FakeBedrock) -> None:
    slow = Failure(0, "Too many tokens", "throttlingException")
    upstream.restart(lambda _seen, _n: answer().stalled(4, SLOW).failing(5, slow))
    seen: list[str] = []
    client = anthropic.Anthropic(base_url=gateway.base_url, api_key="k", max_retries=0)
    with (
        client,
        pytest.raises(anthropic.APIStatusError, match="Too many tokens") as caught,
        client.messages.stream(
            model=TARGET,
            max_tokens=4096,
            thinking=THINKING,
            messages=[{"role": "user", "content": "hello"}],
        ) as stream,
    ):
        seen += [event.type for event in stream]

    assert caught.value.body["error"]["type"] == "rate_limit_error"  # type: ignore[index]
