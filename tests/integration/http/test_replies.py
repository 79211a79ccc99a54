"""What a client sees when the provider behaves badly, or when the client itself leaves."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.integration.http.conftest import body, eventually
from tests.support.scripts import Failure, in_order, text
from tests.support.stage import Stage


def error_of(reply: httpx.Response) -> tuple[int, str]:
    found = reply.json()
    assert found["type"] == "error"
    assert found["error"]["message"]
    return reply.status_code, found["error"]["type"]


def last_event(reply: httpx.Response) -> str:
    return [line for line in reply.text.splitlines() if line.startswith("event: ")][-1]


def test_a_reply_says_where_it_came_from(stage: Stage, client: httpx.Client) -> None:
    stage.play(in_order(text("Hello to you")))
    reply = client.post("/v1/messages", json=body())

    assert reply.status_code == 200
    assert last_event(reply) == "event: message_stop"
    assert 'target="up,m-main"' in reply.headers["x-ccr-decision"]
    assert reply.headers["request-id"].startswith("req_")
    assert reply.headers["x-accel-buffering"] == "no"


@pytest.mark.parametrize(
    "failure, status, kind",
    [
        (Failure(400, "max_tokens: is wrong"), 400, "invalid_request_error"),
        (Failure(429, "slow down", headers={"retry-after": "7"}), 429, "rate_limit_error"),
        (Failure(500, "oops"), 500, "api_error"),
        (Failure(401, "invalid key"), 502, "api_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_a_failure_before_content_keeps_a_status(
    stage: Stage, client: httpx.Client, failure: Failure, status: int, kind: str, stream: bool
) -> None:
    stage.play(in_order(failure))
    reply = client.post("/v1/messages", json=body(stream=stream))

    got, got_kind = error_of(reply)
    assert got_kind == kind
    assert got == status or (status == 500 and got in {500, 503})
    if status == 429:
        assert reply.headers["retry-after"] == "7"
    if status == 502:
        assert reply.headers["x-should-retry"] == "false"


def test_a_cut_in_the_middle_ends_in_an_error_event(stage: Stage, client: httpx.Client) -> None:
    stage.play(in_order(text("one two three four five six", pieces=6).cut(4)))
    reply = client.post("/v1/messages", json=body())

    assert reply.status_code == 200
    assert last_event(reply) == "event: error"
    assert reply.text.count("event: error") == 1
    assert "end_turn" not in reply.text


def test_silence_is_bridged_and_then_ends_in_an_error_event(stage: Stage, client: httpx.Client) -> None:
    stage.play(in_order(text("one two three four", pieces=4).stalled(3)))
    began = time.monotonic()
    reply = client.post("/v1/messages", json=body())

    assert last_event(reply) == "event: error"
    assert "ping" in reply.text or ": keep-alive" in reply.text
    assert time.monotonic() - began < 10
    assert eventually(lambda: stage.upstream.requests[-1].disconnected)


def test_a_provider_that_does_not_answer_is_a_504(stage: Stage, client: httpx.Client) -> None:
    stage.play(
        lambda _seen, _n: in_order(text("late"))(_seen, _n).__class__(
            **{**_fields(text("late")), "delay": 5.0}
        )
    )
    reply = client.post("/v1/messages", json=body(stream=False))

    assert error_of(reply) == (504, "timeout_error")


def _fields(reply: Any) -> dict[str, Any]:
    import attrs

    return {field.name: getattr(reply, field.name) for field in attrs.fields(type(reply))}


@pytest.mark.parametrize("when", ["before the first byte", "in the middle", "of a whole reply"])
def test_a_client_that_leaves_ends_the_provider_s_work(stage: Stage, when: str) -> None:
    late = {**_fields(text("late")), "delay": 30.0}
    script = (
        text("one two three", pieces=3).stalled(2) if when == "in the middle" else type(text("x"))(**late)
    )
    stage.play(in_order(script))

    async def leave() -> float:
        async with httpx.AsyncClient(base_url=stage.base_url, trust_env=False, timeout=20) as client:
            task = asyncio.create_task(
                client.post("/v1/messages", json=body(stream=when != "of a whole reply"))
            )
            while not stage.upstream.requests:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return time.monotonic()

    left = asyncio.run(leave())
    assert eventually(lambda: stage.upstream.requests[0].disconnected, 3)
    assert time.monotonic() - left < 3


def test_many_streams_at_once_all_end_well(patient: Stage) -> None:
    patient.play(lambda _seen, _n: text("one two three four", pieces=4))

    async def ask(client: httpx.AsyncClient) -> bool:
        reply = await client.post("/v1/messages", json=body())
        return reply.status_code == 200 and "message_stop" in reply.text

    async def flood() -> list[bool]:
        limits = httpx.Limits(max_connections=100)
        async with httpx.AsyncClient(
            base_url=patient.base_url, trust_env=False, timeout=120, limits=limits
        ) as client:
            return await asyncio.gather(*(ask(client) for _ in range(100)))

    assert all(asyncio.run(flood()))


def test_nothing_is_left_behind(stage: Stage, client: httpx.Client) -> None:
    """After good, bad, cut and left requests the gateway is as it was."""
    assert stage.gateway is not None

    def open_files() -> int:
        pid = client.get("/api/status").json()["pid"]
        return len(list(Path(f"/proc/{pid}/fd").iterdir()))

    stage.play(lambda _seen, n: text("a b c d", pieces=4) if n % 3 else text("a b c d", pieces=4).cut(2))
    client.post("/v1/messages", json=body())
    before = open_files()

    async def mixed() -> None:
        async with httpx.AsyncClient(base_url=stage.base_url, trust_env=False, timeout=30) as many:

            async def one(number: int) -> None:
                task = asyncio.create_task(many.post("/v1/messages", json=body(stream=number % 2 == 0)))
                if number % 3 == 0:
                    await asyncio.sleep(0.005)
                    task.cancel()
                await asyncio.gather(task, return_exceptions=True)

            for start in range(0, 150, 15):
                await asyncio.gather(*(one(number) for number in range(start, start + 15)))

    asyncio.run(mixed())
    assert eventually(lambda: client.get("/api/status").json()["active_requests"] == 0)
    assert eventually(lambda: open_files() <= before + 25)


def test_forty_counts_at_once_cost_the_provider_nothing(stage: Stage) -> None:
    stage.play(in_order(text("never asked")))

    async def count() -> list[int]:
        async with httpx.AsyncClient(base_url=stage.base_url, trust_env=False, timeout=30) as client:
            asked = [client.post("/v1/messages/count_tokens", json=body()) for _ in range(40)]
            return [msgspec.json.decode((await reply).content)["input_tokens"] for reply in asked]

    assert set(asyncio.run(count())) == {1}
    assert not stage.upstream.requests
