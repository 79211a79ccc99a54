"""What a log must not show, wherever the configuration holds it."""

from __future__ import annotations

from ccr.adapters.config.secrets import secrets_of
from ccr.adapters.config.show import show
from tests.support.configs import settings

TEXT = """{
  APIKEY: "canary-gateway", PROXY_URL: "http://me:canary%2Dproxy@proxy.example:1",
  Search: {engine: "tavily", apiKey: "canary-search", url: "https://h.example"},
  transformers: [{path: "/x/y.py", options: {token: "canary-file-option", limit: 3}}],
  Providers: [
    {name: "a", api_base_url: "https://a.example/v1/chat/completions", api_key: ["canary-key-1", "canary-key-2"],
     models: ["m"], headers: {"X-Tenant": "canary-tenant", "Authorization": "Token canary-scheme", "X-Title": "my app"},
     transformer: {use: [["openrouter", {provider: {api_key: "canary-option"}}]], m: {use: [["x", {secret: ["canary-deep"]}]]}}},
  ],
  Router: {default: "a,m"}}"""
KNOWN = {
    "canary-gateway",
    "canary%2Dproxy",
    "canary-proxy",
    "bWU6Y2FuYXJ5LXByb3h5",
    "canary-search",
    "canary-file-option",
    "canary-key-1",
    "canary-key-2",
    "canary-tenant",
    "Token canary-scheme",
    "canary-scheme",
    "canary-option",
    "canary-deep",
}


def test_all_of_them_are_found_and_nothing_else() -> None:
    assert secrets_of(settings(TEXT)) == KNOWN


def test_none_of_them_is_shown() -> None:
    shown = repr(show(settings(TEXT)))

    assert "canary" not in shown
    assert "my app" in shown
