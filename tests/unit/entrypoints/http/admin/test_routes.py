from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire import json
from tests.support.assembly import BODY, sse, streamed, text_events

pytestmark = pytest.mark.anyio

RAW = json.encode(BODY)


async def test_explaining_asks_nobody_and_remembers_nothing(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/api/route/explain", body=RAW)
        kept = await face.ask(path="/api/route/decisions")
        assert face.bench.upstream.requests == []

    assert told.status == 200
    assert told.json["target"] == "ant,claude-sonnet-5-5"
    assert told.json["verdicts"]
    assert kept.json == {"decisions": []}


async def test_an_unknown_model_is_explained_as_it_would_be_refused(faces: Any) -> None:
    async with faces() as face:
        told = await face.ask("POST", "/api/route/explain", body=json.encode({**BODY, "model": "nope,m"}))

    assert told.error == (400, "invalid_request_error")


async def test_decisions_are_remembered_by_request_id(faces: Any) -> None:
    async with faces(streamed(sse(*text_events())), streamed(sse(*text_events()))) as face:
        first = await face.ask("POST", "/v1/messages", body=RAW)
        second = await face.ask("POST", "/v1/messages", body=RAW)
        newest = await face.ask(path="/api/route/decisions?last=5")
        one = await face.ask(path=f"/api/route/decisions/{first.headers['request-id']}")
        last = await face.ask(path="/api/route/decisions/last")
        unknown = await face.ask(path="/api/route/decisions/req_nope")

    ids = [decision["request_id"] for decision in newest.json["decisions"]]
    assert ids == [second.headers["request-id"], first.headers["request-id"]]
    assert one.json["request_id"] == first.headers["request-id"]
    assert last.json["request_id"] == second.headers["request-id"]
    assert unknown.error == (404, "not_found_error")
