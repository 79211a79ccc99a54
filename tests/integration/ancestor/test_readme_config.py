"""The example of the ancestor's README, all eight providers of it: it loads as it is, and every model in it answers.

Only hosts are replaced, by loopback; paths, names, keys, models, transformers and routes stay.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anthropic
import pytest
from attrs import define

from ccr.adapters.providers.loader import PackagedProviders
from tests.support.fake_gemini import FakeGemini
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider
from tests.support.gateway_process import GatewayProcess
from tests.support.scripts import Reply, ToolCall, by_turn, text

FIXTURE = Path(__file__).parents[2] / "fixtures/ancestor/readme-config.json"
CONFIG: dict[str, Any] = json.loads(FIXTURE.read_text("utf-8"))
MODELS = [(entry["name"], model) for entry in CONFIG["Providers"] for model in entry["models"]]
ROUTES = {name: target for name, target in CONFIG["Router"].items() if isinstance(target, str)}
TOOL: Any = {
    "name": "Read",
    "description": "Reads a file",
    "input_schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {"file_path": {"type": "string"}, "limit": {"type": "integer"}},
        "required": ["file_path"],
        "additionalProperties": False,
    },
}


class Lenient(FakeOpenAI):
    """Takes what these providers take beyond OpenAI's own fields; their common ground stays strict."""

    reasoning_echo = True

    def check(self, recorded: Any) -> None:
        for name in ("thinking", "reasoning", "enable_thinking", "thinking_budget"):
            recorded.json.pop(name, None)
        super().check(recorded)


@define
class Town:
    gateway: GatewayProcess
    upstreams: dict[str, FakeProvider]


def upstream_of(entry: dict[str, Any]) -> FakeProvider:
    if entry["name"] == "gemini":
        return FakeGemini(lambda _s, _n: text("unscripted"), key=entry["api_key"], max_tokens=65_536)
    fake = Lenient(lambda _s, _n: text("unscripted"), key=entry["api_key"], max_tokens=400_000)
    fake.model_path = urlsplit(entry["api_base_url"]).path
    return fake


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with ExitStack() as stack:
        upstreams, providers = {}, []
        for entry in CONFIG["Providers"]:
            upstream = stack.enter_context(upstream_of(entry))
            upstreams[entry["name"]] = upstream
            path = urlsplit(entry["api_base_url"]).path
            providers.append({**entry, "api_base_url": upstream.origin + path})
        config = {**CONFIG, "Providers": providers, "LOG": False}
        home = tmp_path_factory.mktemp("readme")
        yield Town(stack.enter_context(GatewayProcess(home, config)), upstreams)


@pytest.mark.parametrize("entry", CONFIG["Providers"], ids=lambda entry: str(entry["name"]))
def test_every_address_is_recognised_by_its_host(entry: dict[str, Any]) -> None:
    spec = PackagedProviders().by_url(entry["api_base_url"])

    assert spec is not None
    assert spec.name == entry["name"]
    assert spec.endpoint_for(entry["api_base_url"]) is not None


def ask(town: Town, model: str, *, stream: bool, **more: Any) -> anthropic.types.Message:
    asked: dict[str, Any] = {
        "model": model,
        "max_tokens": 32_000,
        "messages": [{"role": "user", "content": "hello"}],
        **more,
    }
    with anthropic.Anthropic(base_url=town.gateway.base_url, api_key="k", max_retries=0) as client:
        if not stream:
            found: anthropic.types.Message = client.messages.create(**asked, timeout=20)
            return found
        with client.messages.stream(**asked) as streamed:
            return streamed.get_final_message()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("provider, model", MODELS)
def test_every_model_answers_and_runs_a_tool(town: Town, provider: str, model: str, stream: bool) -> None:
    upstream = town.upstreams[provider]
    upstream.restart(by_turn(Reply((ToolCall("Read", {"file_path": "/a"}),)), text("done")))
    first = ask(town, f"{provider},{model}", stream=stream, tools=[TOOL])
    (call,) = [block for block in first.content if block.type == "tool_use"]
    assert (call.name, call.input, first.stop_reason) == ("Read", {"file_path": "/a"}, "tool_use")
    messages = [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": [block.model_dump() for block in first.content]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "ok"}]},
    ]
    last = ask(town, f"{provider},{model}", stream=stream, tools=[TOOL], messages=messages)

    assert [block.text for block in last.content if block.type == "text"] == ["done"]
    assert upstream.rejections == []
    assert {seen.model for seen in upstream.seen} == {model}


@pytest.mark.parametrize("scenario", list(ROUTES))
def test_every_route_is_served(town: Town, scenario: str) -> None:
    for upstream in town.upstreams.values():
        upstream.restart(lambda _s, _n: text("routed"))
    scenes: dict[str, dict[str, Any]] = {
        "default": {},
        "background": {"model": "claude-haiku-4-5"},
        "think": {"thinking": {"type": "enabled", "budget_tokens": 2048}},
        "longContext": {"messages": [{"role": "user", "content": "word " * 70_000}]},
        "webSearch": {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    }
    more = scenes[scenario]
    message = ask(town, more.pop("model", "claude-sonnet-5-5"), stream=True, **more)

    provider, model = ROUTES[scenario].split(",")
    assert "routed" in "".join(block.text for block in message.content if block.type == "text")
    assert [seen.model for seen in town.upstreams[provider].seen] == [model]
    assert town.upstreams[provider].rejections == []
