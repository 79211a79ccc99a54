from __future__ import annotations

import pytest

from ccr.application.ports.provider import Endpoint, ProviderSpec
from ccr.domain.models import ModelProfile

CHAT = Endpoint("openai_chat", "https://api.acme.test/v1/chat/completions")
PLAN = Endpoint("openai_chat", "https://api.acme.test/coding/v1/chat/completions", label="plan")
CLAUDE = Endpoint("anthropic", "https://api.acme.test/anthropic/v1/messages")
GEMINI = Endpoint("gemini", "https://api.acme.test/v1beta/models")
ACME = ProviderSpec("acme", endpoints=(CHAT, PLAN, CLAUDE, GEMINI))

AWS = Endpoint("anthropic", "https://runtime.{region}.cloud.test", hosting="bedrock")
AWS_CHAT = Endpoint("openai_chat", "https://runtime.{region}.cloud.test/openai/v1/chat/completions")
MANTLE = Endpoint("anthropic", "https://mantle.{region}.cloud.test/anthropic/v1/messages")
VERTEX = Endpoint(
    "gemini", "https://{region}-ai.cloud.test/v1/projects/{project}/locations/{region}/google/models"
)
VERTEX_CLAUDE = Endpoint(
    "anthropic", "https://{region}-ai.cloud.test/v1/projects/{project}/locations/{region}/claude/models"
)
CLOUD = ProviderSpec("cloud", endpoints=(MANTLE, AWS, AWS_CHAT, VERTEX, VERTEX_CLAUDE))

HOST = "https://api.acme.test"
REGION = "https://eu-1-ai.cloud.test/v1/projects/p-1/locations/eu-1"


@pytest.mark.parametrize(
    "url, expected",
    [
        (f"{HOST}/v1/chat/completions", CHAT),
        (f"{HOST}/v1/chat/completions/?x=1", CHAT),
        ("https://api.acme-china.test/coding/v1/chat/completions", PLAN),
        (f"{HOST}/anthropic/v1/messages/count_tokens", CLAUDE),
        (f"{HOST}/v1beta/models/", GEMINI),
        (f"{HOST}/v1beta/models/g-2:generateContent", GEMINI),
        (f"{HOST}/v1/models/g-2:streamGenerateContent", GEMINI),
        (f"{HOST}/beta/chat/completions", CHAT),
        (f"{HOST}/v2/messages", CLAUDE),
        (f"{HOST}/v1/responses", None),
        (f"{HOST}/v1betas/models", None),
        (HOST, None),
        ("http://[", None),
    ],
)
def test_the_endpoint_of_an_address(url: str, expected: Endpoint | None) -> None:
    assert ACME.endpoint_for(url) == expected


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://runtime.us-2.cloud.test", AWS),
        ("https://runtime.us-2.cloud.test/model/x/invoke", AWS),
        ("https://runtime.us-2.cloud.test/openai/v1/chat/completions", AWS_CHAT),
        ("https://mantle.us-2.cloud.test/v1/messages", MANTLE),
        (f"{REGION}/google/models/g:generateContent", VERTEX),
        (f"{REGION}/claude/models/c:rawPredict", VERTEX_CLAUDE),
        ("https://proxy.test/claude", AWS),
    ],
)
def test_addresses_with_blanks_and_endpoints_of_the_same_host_first(url: str, expected: Endpoint) -> None:
    assert CLOUD.endpoint_for(url) == expected


def test_the_glob_of_a_model() -> None:
    big = ModelProfile(max_output=2)
    spec = ProviderSpec("x", profiles={"*": ModelProfile(max_output=1), "Big-*": big})

    assert (spec.profile_glob("big-1"), spec.profile_glob("small")) == ("Big-*", "*")
    assert spec.profile("big-1") == big
    assert ProviderSpec("x").profile_glob("small") is None
    assert ModelProfile() == ProviderSpec("x").profile("small")
