from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire.json import CODEC
from ccr.application.exchange.amend import NothingLearned, amended
from ccr.application.ports.payload import Encoded, Payload
from ccr.domain.compat import Amendment, Change
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json
from tests.support.assembly import BODY, Bench, assembled, openai_chunks, streamed, whole

pytestmark = pytest.mark.anyio
BETA = Amendment(Change.BETA, "a-2025-01-01")
REFUSED = whole({"error": {"message": "Unknown parameter: 'temperature'."}}, 400)
ASKED: dict[str, Any] = {**BODY, "model": "oai,m1", "temperature": 0.5}


def encoded(headers: tuple[tuple[str, str], ...] = (), **fields: object) -> Encoded:
    return Encoded(Payload(fields, CODEC), (), headers)


def test_a_beta_leaves_header_and_body() -> None:
    given = encoded(
        (("anthropic-beta", "a-2025-01-01,b"), ("x", "a-2025-01-01")), anthropic_beta=["a-2025-01-01"]
    )
    made = amended(given, [BETA])

    assert made.headers == (("anthropic-beta", "b"), ("x", "a-2025-01-01"))
    assert made.payload.fields == {}
    assert made.losses == (Loss("a-2025-01-01", "learned"),)


def test_a_header_that_asks_for_nothing_is_not_sent() -> None:
    assert amended(encoded((("anthropic-beta", "a-2025-01-01"),)), [BETA]).headers == ()


def test_what_is_not_concerned_stays_the_same_object() -> None:
    given = encoded(messages=Json(b"[]"), temperature=1)

    assert amended(given, [BETA, Amendment(Change.DROP, "seed")]) is given
    made = amended(given, [Amendment(Change.DROP, "temperature")])
    assert made.payload.get("messages") is given.payload.get("messages")


async def test_nothing_learned_knows_nothing() -> None:
    store = NothingLearned()
    await store.remember("u", "m", BETA, "said")
    await store.used("u", "m")

    assert (store.known("u", "m"), store.all(), await store.forget()) == ((), (), 0)


async def _asked(bench: Bench, **more: Any) -> int:
    answer, _ = await bench.ask({**ASKED, **more})
    return answer.status


async def test_a_complaint_is_answered_without_a_memory_too() -> None:
    good = streamed(openai_chunks("Hi"))
    async with assembled(REFUSED, good) as bench:
        bench.made.container.attempts().learned = NothingLearned()
        assert await _asked(bench) == 200

    sent = [CODEC.decode(request.body) for request in bench.upstream.requests]
    assert [isinstance(body, dict) and "temperature" in body for body in sent] == [True, False]
    assert [one.error for one in bench.record.attempts] == ["upstream_rejected", ""]


async def test_a_complaint_that_names_nothing_of_ours_goes_to_the_client() -> None:
    async with assembled(REFUSED) as bench:
        bench.made.container.attempts().learned = NothingLearned()

        assert await _asked(bench, temperature=None) == 400
        assert len(bench.upstream.requests) == 1
