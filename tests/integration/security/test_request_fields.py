"""No field of a request chooses where we call, which file we read, or what goes into a header (P46)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ccr.adapters.config.schema.keys import keys_of
from ccr.adapters.config.schema.providers import ProviderEntry
from ccr.adapters.config.schema.root import Root
from tests.support.fake_openai import FakeOpenAI
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.loopback import Exchange, LoopbackServer
from tests.support.scripts import text

KEY = "sk-of-the-provider"
FIELDS = sorted(
    {
        "api_base", "base_url", "api_base_url", "baseURL", "url", "uri", "endpoint", "host", "hostname", "origin", "proxy",
        "proxy_url", "api_key", "apiKey", "key", "authorization", "headers", "extra_headers", "default_headers", "extra_body",
        "extra_query", "provider", "providers", "litellm_params", "litellm_metadata", "metadata", "router", "router_path",
        "custom_router", "transformer", "transformers", "plugin", "plugins", "path", "file", "callback", "callbacks",
        "success_callback", "webhook", "webhook_url", "redirect", "redirect_url", "fallbacks", "model_list", "user", "config",
        "config_path", "aws_region_name", "vertex_project", "azure_endpoint", "custom_llm_provider", "mock_response", "template",
        "mcp_servers", "container", "service_tier", "system_prompt_file", "forwarded", "x-forwarded-host", "image_url",
        *(key.name for key in keys_of(Root)), *(key.name for key in keys_of(ProviderEntry)),
    }
)  # fmt: skip
HEADERS = [
    "x-api-base", "x-base-url", "x-target-url", "x-upstream", "x-forwarded-host", "x-forwarded-for", "forwarded", "x-original-url",
    "x-rewrite-url", "x-real-ip", "x-ccr-provider", "x-ccr-url", "x-ccr-key", "x-ccr-target", "x-litellm-api-base", "helicone-target-url",
    "x-portkey-custom-host", "proxy-authorization", "cookie", "via", "trailer",
]  # fmt: skip
DIALECTS: dict[str, dict[str, Any]] = {
    "/v1/messages": {"max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "hi"}]},
    "/v1/responses": {"input": "hi"},
    "/v1beta/models/up,m:generateContent": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
}


class Canary(LoopbackServer):
    """Nobody has a reason to call it."""

    async def answer(self, exchange: Exchange) -> None:
        await exchange.reply(200, b"{}", {"content-type": "application/json"})


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    with Canary() as server:
        yield server


@pytest.fixture(scope="module")
def upstream() -> Iterator[FakeOpenAI]:
    with FakeOpenAI(lambda _seen, _n: text("fine"), key=KEY, models=("m",)) as server:
        yield server


@pytest.fixture(scope="module")
def gateway(upstream: FakeOpenAI, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    config = {"Providers": [provider_entry("up", upstream, ["m"])], "Router": {"default": "up,m"}}
    with GatewayProcess(tmp_path_factory.mktemp("fields"), config) as opened:
        yield opened


def values(canary: Canary, home: Path) -> list[Any]:
    url = f"{canary.origin}/v1/chat/completions"
    file = home / "evil.py"
    file.write_text(f"import urllib.request\nurllib.request.urlopen({url!r})\n")
    return [
        url,
        f"127.0.0.1:{canary.port}",
        {"url": url, "base_url": url, "api_base": url},
        [url],
        {"x": {"api_base_url": url}},
        str(file),
    ]


def test_no_field_of_a_body_leads_anywhere(
    gateway: GatewayProcess, upstream: FakeOpenAI, canary: Canary, tmp_path: Path
) -> None:
    before = len(upstream.requests)
    answered = 0
    with httpx.Client(base_url=gateway.base_url, trust_env=False, timeout=30) as client:
        for path, body in DIALECTS.items():
            for field in FIELDS:
                for value in values(canary, tmp_path):
                    sent = (
                        {"model": "up,m", **body, field: value}
                        if field not in body
                        else {**body, "model": "up,m"}
                    )
                    answered += client.post(path, json=sent).status_code == 200

    assert canary.requests == []
    assert answered > 100
    called = upstream.requests[before:]
    assert {one.headers["authorization"] for one in called} == {f"Bearer {KEY}"}
    assert {one.headers["host"] for one in called} == {f"127.0.0.1:{upstream.port}"}


def test_no_model_name_leads_anywhere(gateway: GatewayProcess, canary: Canary) -> None:
    url = f"{canary.origin}/v1"
    names = [
        url,
        f"up,{url}",
        f"{url},m",
        f"up/{url}",
        f"../{url}",
        f"up,m@{canary.port}",
        f"openai/{url}",
        f"{url}#m",
        "file:///etc/passwd",
    ]
    with httpx.Client(base_url=gateway.base_url, trust_env=False, timeout=30) as client:
        for name in names:
            client.post("/v1/messages", json={"model": name, **DIALECTS["/v1/messages"]})
            tag = f"<CCR-SUBAGENT-MODEL>{name}</CCR-SUBAGENT-MODEL>"
            client.post("/v1/messages", json={"model": "up,m", "system": tag, **DIALECTS["/v1/messages"]})

    assert canary.requests == []


def test_no_header_leads_anywhere_or_reaches_the_provider(
    gateway: GatewayProcess, upstream: FakeOpenAI, canary: Canary
) -> None:
    before = len(upstream.requests)
    with httpx.Client(base_url=gateway.base_url, trust_env=False, timeout=30) as client:
        for path, body in DIALECTS.items():
            for header in HEADERS:
                shown = {
                    header: f"{canary.origin}/v1",
                    "authorization": "Bearer of-the-client",
                    "x-api-key": "of-the-client",
                }
                client.post(path, json={"model": "up,m", **body}, headers=shown)

    called = upstream.requests[before:]
    assert len(called) == len(DIALECTS) * len(HEADERS)
    assert canary.requests == []
    told = json.dumps([one.headers for one in called])
    assert str(canary.port) not in told
    assert "of-the-client" not in told
