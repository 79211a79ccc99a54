"""The model endpoints over ASGI: what only HTTP can do to them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ccr.adapters.upstream.fake import Pause
from ccr.adapters.wire import json
from tests.support.asgi import Wire, scope_of
from tests.support.assembly import BODY, sse, streamed, text_events

pytestmark = pytest.mark.anyio

RAW = json.encode(BODY)
JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_post(faces: Any, path: str, method: str) -> None:
    async with faces() as face:
        told = await face.ask(method, path, JSON)

    assert told.status == 405
    assert told.headers["allow"] == "POST"
    assert method == "HEAD" or told.error == (405, "invalid_request_error")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true", "/v1/messages/"])
async def test_a_stream_is_sent_as_it_comes(faces: Any, path: str) -> None:
    async with faces(streamed(sse(*text_events()))) as face:
        told = await face.ask("POST", path, body=RAW)

    assert (told.status, told.starts, told.ended) == (200, 1, True)
    assert told.body == sse(*text_events())
    assert told.headers["content-type"].startswith("text/event-stream")
    assert "scenario=" in told.headers["x-ccr-decision"]
    assert len([name for name, _ in told.pairs if name == b"request-id"]) == 1


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model":1}', b"[" * 100_000])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/api/route/explain"])
async def test_junk_is_400(faces: Any, path: str, body: bytes) -> None:
    async with faces() as face:
        told = await face.ask("POST", path, body=body)

    assert told.error == (400, "invalid_request_error")


async def test_a_refusal_has_one_request_id(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/v1/messages", body=b"{}")

    assert len([name for name, _ in told.pairs if name == b"request-id"]) == 1


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/api/route/explain"])
async def test_a_body_without_declared_size_is_bounded_too(faces: Any, path: str) -> None:
    async with faces(Limits={"maxBodyBytes": 1024}) as face:
        wire = Wire(*[b"x" * 500] * 4)
        await face.app(
            scope_of("POST", path, {**JSON, "transfer-encoding": "chunked"}), wire.receive, wire.send
        )

    assert wire.told.error == (413, "request_too_large")
    assert wire.taken == 4


async def test_a_body_that_stands_still_is_400(faces: Any) -> None:
    async with faces(Limits={"bodyIdleMs": 20}) as face:
        wire = Wire(b"{", 0.1, b"}")
        await face.app(
            scope_of("POST", "/v1/messages", {**JSON, "content-length": "2"}), wire.receive, wire.send
        )

    assert wire.told.error == (400, "invalid_request_error")


async def test_who_left_while_sending_or_sent_nonsense_gets_a_bad_request(faces: Any) -> None:
    async with faces() as face:
        wire = Wire(b"{", None)
        await face.app(
            scope_of("POST", "/v1/messages", {**JSON, "content-length": "9"}), wire.receive, wire.send
        )

        # A server in front of us cannot tell the two apart; who is gone does not hear it.
        assert wire.told.error == (400, "invalid_request_error")
        assert face.bench.made.container.admission().active == 0


async def test_a_client_that_leaves_in_the_middle_ends_the_reply(faces: Any) -> None:
    first, rest = text_events()[:3], text_events()[3:]
    async with faces(streamed(sse(*first), Pause(30), sse(*rest))) as face:
        wire = Wire(RAW)
        task = asyncio.create_task(
            face.app(
                scope_of("POST", "/v1/messages", {**JSON, "content-length": str(len(RAW))}),
                wire.receive,
                wire.send,
            )
        )
        async with asyncio.timeout(2):
            while not wire.told.body:
                await asyncio.sleep(0.005)
            wire.gone.set()
            await task

        assert face.bench.record.outcome.value == "client_closed"
        assert face.bench.made.container.admission().active == 0


async def test_a_draining_gateway_refuses_unread(faces: Any) -> None:
    async with faces() as face:
        face.bench.made.container.admission().drain()
        told = await face.ask("POST", "/v1/messages", body=RAW)

    assert told.error == (529, "overloaded_error")
    assert told.headers["retry-after"] == "5"


async def test_tokens_are_counted(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/v1/messages/count_tokens", body=RAW)

    assert told.status == 200
    assert told.json["input_tokens"] > 0
