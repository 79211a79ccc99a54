"""Transformers of a configuration, in the whole walk of a request: names, options, levels, order."""

from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire import json
from tests.support.assembly import CONFIG, assembled, openai_chunks, sse, streamed, text_events

TOOLS = [{"name": "Read", "input_schema": {"type": "object", "properties": {"limit": {"type": "integer"}}}}]


def config(provider: int, *use: Any, **models: list[Any]) -> dict[str, Any]:
    entry = dict(CONFIG["Providers"][provider])
    entry["transformer"] = {"use": list(use), **{model: {"use": uses} for model, uses in models.items()}}
    route = {"default": f"{entry['name']},{entry['models'][0]}"}
    return {**CONFIG, "Providers": [entry], "Router": route}


async def sent(use: dict[str, Any], **body: Any) -> Any:
    """The request that goes to the provider."""
    async with assembled(streamed(openai_chunks("Hi")), config=use) as bench:
        await bench.ask(model="claude-sonnet-5-5", **body)
        return json.decode(bench.upstream.requests[0].body)


@pytest.mark.anyio
async def test_both_levels_and_both_forms_in_their_order() -> None:
    use = config(
        1, ["maxtoken", {"max_tokens": 50}], "MaxCompletionTokens", m1=[["customparams", {"top_k": 4}]]
    )
    body = await sent(use, max_tokens=100)

    assert (body["max_completion_tokens"], body["top_k"]) == (50, 4)
    assert "max_tokens" not in body


@pytest.mark.anyio
async def test_a_later_one_has_the_last_word() -> None:
    lowered = [["maxtoken", {"max_tokens": 40}]]
    assert (await sent(config(1, ["maxtoken", {"max_tokens": 50, "mode": "set"}], m1=lowered)))[
        "max_tokens"
    ] == 40
    assert (await sent(config(1, *lowered, m1=[["maxtoken", {"max_tokens": 50, "mode": "set"}]])))[
        "max_tokens"
    ] == 50


@pytest.mark.anyio
async def test_a_model_without_its_own_has_those_of_the_provider_only() -> None:
    body = await sent(config(1, ["maxtoken", {"max_tokens": 50}], m2=[["customparams", {"top_k": 4}]]))

    assert body["max_tokens"] == 50
    assert "top_k" not in body


@pytest.mark.anyio
async def test_enhancetool_knows_the_tools_of_the_request() -> None:
    call = {"index": 0, "id": "c", "function": {"name": "read", "arguments": '{"limit": "5"}'}}
    chunks = [
        {"id": "c1", "model": "m1", "choices": [{"index": 0, "delta": {"tool_calls": [call]}}]},
        {"id": "c1", "model": "m1", "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]},
    ]
    stream = b"".join(b"data: " + json.encode(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    async with assembled(streamed(stream), config=config(1, "enhancetool")) as bench:
        _, answer = await bench.ask(model="claude-sonnet-5-5", tools=TOOLS)

    assert b'"name":"Read"' in answer
    assert b'{\\"limit\\":5}' in answer


@pytest.mark.anyio
@pytest.mark.parametrize("name", ["deepseek", "streamoptions"])
async def test_needless_ones_let_the_bytes_pass(name: str) -> None:
    reply = sse(*text_events())
    async with assembled(streamed(reply), config=config(0, "Anthropic", name)) as bench:
        _, answer = await bench.ask()

    assert bench.record.path == "relay"
    assert answer == reply
