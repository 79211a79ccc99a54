from __future__ import annotations

from pathlib import Path

import pytest
from cattrs.errors import ClassValidationError

from ccr.adapters.providers import loader
from ccr.adapters.providers.loader import PackagedProviders, load_providers, read_provider
from ccr.application.ports.provider import ProviderSpec
from ccr.domain.conversation import Effort
from ccr.domain.models import ModelProfile, ReasoningStyle

FOLDER = Path(loader.__file__).parent
BOOK = PackagedProviders()

FILE = """
name = "Acme"
hosts = ["api.acme.test", "localhost:1234"]
credential = { kind = "x-api-key", env = "ACME_KEY" }

[[endpoints]]
dialect = "openai_chat"
url = "https://api.acme.test/v1/chat/completions"

[profiles."*"]
max_output = 10
reasoning = "effort"

[profiles."big*"]
max_output = 20
efforts = ["low", "max"]
"""


def test_a_file() -> None:
    spec = read_provider(FILE)
    assert (spec.name, spec.credential, spec.credential_env) == ("Acme", "x-api-key", "ACME_KEY")
    assert (
        spec.endpoints[0].dialect,
        spec.endpoints[0].hosting,
        spec.endpoints[0].is_anthropic,
    ) == ("openai_chat", "direct", False)


def test_what_holds_for_every_model_holds_for_the_special_ones_too() -> None:
    spec = read_provider(FILE)
    assert ModelProfile(max_output=10, reasoning=ReasoningStyle.EFFORT) == spec.profile("small")
    expected = ModelProfile(max_output=20, reasoning=ReasoningStyle.EFFORT, efforts=(Effort.LOW, Effort.MAX))
    assert expected == spec.profile("Big-1")


@pytest.mark.parametrize(
    "wrong", ['colour = "red"\n' + FILE, FILE + "wheels = 4\n", FILE.replace('"effort"', '"hard"')]
)
def test_a_field_that_does_not_exist_is_refused(wrong: str) -> None:
    with pytest.raises((ClassValidationError, ValueError)):
        read_provider(wrong)


def test_providers_are_recognised() -> None:
    book = PackagedProviders([read_provider(FILE)])
    assert book.names() == ("Acme",)
    assert (book.by_name("ACME") or ProviderSpec("")).name == "Acme"
    assert (book.by_url("https://API.acme.test:443/x") or ProviderSpec("")).name == "Acme"
    assert (book.by_url("http://localhost:1234/x") or ProviderSpec("")).name == "Acme"


@pytest.mark.parametrize(
    "url", ["http://localhost:99/x", "nonsense", "http://[", "http://h:port/", "demo:///x"]
)
def test_other_urls_are_nobodys(url: str) -> None:
    assert PackagedProviders([read_provider(FILE)]).by_url(url) is None


def test_demo_by_its_scheme() -> None:
    assert (BOOK.by_url("demo:///v1/messages") or ProviderSpec("")).name == "demo"


@pytest.mark.parametrize("spec", load_providers(), ids=lambda spec: spec.name)
def test_every_provider_that_ships(spec: ProviderSpec) -> None:
    """Names agree; dialects, hostings and profile fields exist; hosts and URLs agree."""
    assert (FOLDER / f"{spec.name}.toml").is_file()
    assert spec.credential in {"bearer", "x-api-key", "none"}
    assert (spec.credential == "none") is (not spec.credential_env)
    assert spec.endpoints
    for endpoint in spec.endpoints:
        assert endpoint.dialect in {"anthropic", "openai_chat"}
        assert endpoint.hosting == "direct"
        assert BOOK.by_url(endpoint.url) is spec
        ending = {"anthropic": "/v1/messages", "openai_chat": "/chat/completions"}[endpoint.dialect]
        assert endpoint.url.endswith(ending)
        assert endpoint.is_anthropic is (spec.name == "anthropic")
    for profile in spec.profiles.values():
        assert profile.max_tokens_field in {"max_tokens", "max_completion_tokens"}
        assert list(profile.efforts) == sorted(profile.efforts, key=lambda effort: effort.rank)
        assert not profile.reasoning_required or profile.reasoning_field


def test_the_providers_that_ship() -> None:
    expected = {path.stem for path in FOLDER.glob("*.toml")}
    assert expected == set(BOOK.names())
    assert {"demo", "openai", "anthropic", "openrouter", "deepseek", "ollama", "gemini"} <= expected


def test_a_host_belongs_to_one_provider() -> None:
    hosts = [host for spec in load_providers() for host in spec.hosts]
    assert len(set(hosts)) == len(hosts)
