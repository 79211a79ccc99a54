"""A credential that a provider refuses: one more try with another, and no more than one."""

from __future__ import annotations

from typing import Any, cast

import pytest
from attrs import evolve

from ccr.application.catalog.targets import Target
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.models import ModelRef
from tests.support.assembly import BODY, Bench, assembled, openai_chunks, streamed, whole

pytestmark = pytest.mark.anyio
REFUSED = whole({"error": {"message": "The token has been revoked.", "code": "invalid_token"}}, 401)
REF = ModelRef("oai", "m1")


class Renewing:
    """A credential that has a new token whenever the last one was refused."""

    def __init__(self) -> None:
        self.number = 1

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        return evolve(request, headers=(*request.headers, ("authorization", f"Bearer t{self.number}")))

    def secrets(self) -> tuple[str, ...]:
        return (f"t{self.number}",)

    def refused(self) -> None:
        self.number += 1


def renewing(bench: Bench) -> Renewing:
    catalog = bench.made.container.catalog().current
    credential = Renewing()
    targets = cast("dict[ModelRef, Target]", catalog.targets)
    targets[REF] = evolve(targets[REF], credential=credential)
    return credential


def tokens(bench: Bench) -> list[str]:
    return [dict(request.headers)["authorization"] for request in bench.upstream.requests]


async def ask(bench: Bench, **more: Any) -> int:
    answer, _ = await bench.ask({**BODY, "model": "oai,m1", **more})
    return answer.status


async def test_a_refused_token_is_replaced_once() -> None:
    async with assembled(REFUSED, streamed(openai_chunks("Hi"))) as bench:
        renewing(bench)
        assert await ask(bench) == 200

        assert tokens(bench) == ["Bearer t1", "Bearer t2"]
        assert [(one.status, one.error) for one in bench.record.attempts] == [
            (401, "upstream_auth"),
            (200, ""),
        ]


async def test_a_second_refusal_is_the_answer() -> None:
    async with assembled(REFUSED, REFUSED) as bench:
        renewing(bench)
        assert await ask(bench) != 200

        assert tokens(bench) == ["Bearer t1", "Bearer t2"]


async def test_another_failure_asks_for_no_other_token() -> None:
    refused = whole({"error": {"message": "no", "code": "x"}}, 403)
    async with assembled(refused) as bench:
        credential = renewing(bench)
        assert await ask(bench) != 200

        assert (credential.number, len(bench.upstream.requests)) == (1, 1)


async def test_a_key_that_is_only_a_key_is_tried_once() -> None:
    async with assembled(REFUSED) as bench:
        assert await ask(bench) != 200
        assert len(bench.upstream.requests) == 1
