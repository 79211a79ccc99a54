"""What is lost on the way is said, and a route may refuse to lose anything."""

from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire import json
from tests.support.assembly import assembled, openai_chunks, sse, streamed, text_events

pytestmark = pytest.mark.anyio

PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aWk="}}
SEEN = [{"role": "user", "content": [PICTURE, {"type": "text", "text": "what is it?"}]}]
PROVIDERS = [
    {
        "name": "deepseek",
        "api_base_url": "http://blind.test/v1/chat/completions",
        "api_key": "k",
        "models": ["deepseek-chat"],
    },
    {
        "name": "claude",
        "api_base_url": "http://seeing.test/v1/messages",
        "api_key": "k",
        "models": ["m"],
        "transformer": {"use": ["Anthropic"]},
    },
]


def config(fidelity: Any, *fallback: str) -> dict[str, Any]:
    router = {"default": "deepseek,deepseek-chat", "fidelity": fidelity}
    return {"Providers": PROVIDERS, "Router": router, "fallback": {"default": list(fallback)}}


@pytest.mark.parametrize("fidelity", ["best", {"think": "exact"}, {"*": "exact", "default": "best"}])
async def test_a_loss_is_said_in_a_header_and_in_the_record(fidelity: Any) -> None:
    async with assembled(streamed(openai_chunks("Hi")), config=config(fidelity)) as bench:
        answer, _ = await bench.ask(messages=SEEN)

    assert (answer.status, dict(answer.headers)["x-ccr-degraded"]) == (200, "image=as text")
    assert [str(loss) for loss in bench.record.losses] == ["image=as text"]


@pytest.mark.parametrize("fidelity", ["exact", {"default": "exact"}, {"*": "exact", "think": "best"}])
async def test_a_route_that_asks_for_exact_fidelity_names_what_would_be_lost(fidelity: Any) -> None:
    async with assembled(config=config(fidelity)) as bench:
        answer, body = await bench.ask(messages=SEEN)

    assert answer.status == 400
    told = json.object_of(body) or {}
    assert "exact fidelity" in str(told["error"])
    assert "image=as text" in str(told["error"])
    assert bench.upstream.requests == []


async def test_an_exact_target_is_found_among_the_fallbacks() -> None:
    async with assembled(
        streamed(sse(*text_events())), config=config("exact", "deepseek,other", "claude,m")
    ) as bench:
        answer, _ = await bench.ask(messages=SEEN)

    assert answer.status == 200
    assert [request.url for request in bench.upstream.requests] == ["http://seeing.test/v1/messages"]
    assert [attempt.error for attempt in bench.record.attempts] == ["unsupported", "unsupported", ""]


async def test_a_request_that_loses_nothing_passes() -> None:
    async with assembled(streamed(openai_chunks("Hi")), config=config("exact")) as bench:
        answer, _ = await bench.ask()

    assert answer.status == 200
    assert "x-ccr-degraded" not in dict(answer.headers)
