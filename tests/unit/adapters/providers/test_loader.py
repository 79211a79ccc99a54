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


def test_a_family_is_the_same_wherever_it_is_sold_but_for_what_a_file_says_itself() -> None:
    text = FILE + '\n[profiles."*claude*"]\nfamily = "claude"\nmax_output = 30\ncache_marks = false\n'
    spec = read_provider(text)
    old, new = spec.profile("my-claude-opus-4-1"), spec.profile("my-claude-opus-5")

    assert (old.reasoning, new.reasoning) == (ReasoningStyle.ANTHROPIC_BUDGET, ReasoningStyle.ANTHROPIC)
    assert (old.sampling, new.sampling) == (True, False)
    assert {(one.max_output, one.cache_marks, one.image_results) for one in (old, new)} == {(30, False, True)}
    assert spec.profile("small") == read_provider(FILE).profile("small")
    assert "sampling" in spec.told("my-claude-opus-4-1")


def test_a_family_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="no family 'clod'"):
        read_provider(FILE + 'family = "clod"\n')


def test_what_a_file_speaks_of_is_known() -> None:
    spec = read_provider(FILE)

    assert spec.told("small") == {"max_output", "reasoning"}
    assert spec.told("big-1") == {"max_output", "reasoning", "efforts"}
    assert ProviderSpec("x").told("small") == frozenset()


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


PATTERNS = ["*-aiplatform.test", "a.*.test", "a.b.*.test", "a.b.c.test"]


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://europe-west1-aiplatform.test/v1", 0),
        ("https://a.x.test", 1),
        ("https://A.B.x.test", 2),
        ("https://a.b.c.test", 3),
    ],
)
def test_hosts_may_be_patterns_and_the_longest_counts(url: str, expected: int) -> None:
    specs = [ProviderSpec(f"p{at}", (host,)) for at, host in enumerate(PATTERNS)]

    assert (PackagedProviders(specs).by_url(url) or ProviderSpec("")).name == f"p{expected}"


def test_what_comes_later_takes_neither_a_name_nor_a_host() -> None:
    first, other = ProviderSpec("one", ("a.test",)), ProviderSpec("Two", ("a.test", "b.test"), origin="x 1")
    book = PackagedProviders([first], more=[other, ProviderSpec("ONE", ("c.test",), origin="y 2")])

    assert book.names() == ("one", "Two")
    assert book.by_url("https://a.test") is first
    assert book.by_url("https://b.test") is other
    assert book.by_url("https://c.test") is None
    assert book.by_name("one") is first
    assert book.warnings == (
        "host a.test of provider 'Two' (x 1) stays with 'one'",
        "provider 'ONE' of y 2 is left out: ccr has one of that name",
    )


def test_an_endpoint_may_have_a_login_and_words_of_its_own() -> None:
    text = FILE.replace(
        "[profiles",
        """[[endpoints]]
dialect = "anthropic"
url = "https://api.acme.test/anthropic/v1/messages"
credential = "bearer"
label = "for Claude"
docs = "https://acme.test/docs"

[profiles""",
        1,
    )
    spec = read_provider(
        'label = "ACME Inc."\ndocs = "https://acme.test"\nsource = "docs, 2026"\n' + text, "x 1"
    )

    assert (spec.label, spec.docs, spec.source, spec.origin) == (
        "ACME Inc.",
        "https://acme.test",
        "docs, 2026",
        "x 1",
    )
    assert [end.credential for end in spec.endpoints] == ["", "bearer"]
    assert (spec.endpoints[1].label, spec.endpoints[1].docs) == ("for Claude", "https://acme.test/docs")
    assert read_provider(FILE).label == "Acme"


def test_demo_by_its_scheme() -> None:
    assert (BOOK.by_url("demo:///v1/messages") or ProviderSpec("")).name == "demo"


DIALECTS = {
    "anthropic": ("/v1/messages", "/anthropic/models", ".amazonaws.com"),
    "openai_chat": ("/chat/completions",),
    "openai_responses": ("/responses",),
    "gemini": ("/models", "/v1internal"),
}
"""Dialects, and what an endpoint's address ends in."""
HOSTINGS = {"direct", "azure", "bedrock", "code_assist", "vertex"}
KINDS = {"bearer", "x-api-key", "api-key", "x-goog-api-key", "none", "aws", "google", "gemini-cli"}
KEYLESS = {"none", "google"}
SEARCHES = {"", "anthropic", "openai", "openai_chat", "gemini", "openrouter", "zhipu", "kimi", "xai", "qwen"}


@pytest.mark.parametrize("spec", load_providers(), ids=lambda spec: spec.name)
def test_every_provider_that_ships(spec: ProviderSpec) -> None:
    """Names agree; dialects, hostings, logins exist; hosts and URLs agree; sources are said."""
    assert (FOLDER / f"{spec.name}.toml").is_file()
    assert spec.label
    assert "2026)" in spec.source
    assert spec.docs.startswith("https://") or spec.name == "demo"
    assert spec.credential in KINDS
    assert (spec.credential in KEYLESS) is (not spec.credential_env)
    assert spec.endpoints
    for endpoint in spec.endpoints:
        assert endpoint.url.endswith(DIALECTS[endpoint.dialect])
        assert endpoint.hosting in HOSTINGS
        assert endpoint.credential in {"", *KINDS}
        assert endpoint.is_anthropic is (spec.name == "anthropic")
        assert BOOK.by_url(endpoint.url) is spec
        assert spec.endpoint_for(endpoint.url) is endpoint
    for profile in spec.profiles.values():
        assert profile.max_tokens_field in {"max_tokens", "max_completion_tokens"}
        assert list(profile.efforts) == sorted(profile.efforts, key=lambda effort: effort.rank)
        assert not profile.reasoning_required or profile.reasoning_field
        assert profile.output_format in {"json_schema", "json_object", ""}
        assert profile.web_search in SEARCHES
        assert profile.reasoning is not ReasoningStyle.EFFORT or profile.efforts


ANCESTOR = {
    "https://openrouter.ai/api/v1/chat/completions": ("openrouter", "openai_chat"),
    "https://api.deepseek.com/chat/completions": ("deepseek", "openai_chat"),
    "http://localhost:11434/v1/chat/completions": ("ollama", "openai_chat"),
    "https://generativelanguage.googleapis.com/v1beta/models/": ("gemini", "gemini"),
    "https://cloudcode-pa.googleapis.com/v1internal": ("gemini", "gemini"),
    "https://ark.cn-beijing.volces.com/api/v3/chat/completions": ("volcengine", "openai_chat"),
    "https://api-inference.modelscope.cn/v1/chat/completions": ("modelscope", "openai_chat"),
    "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions": ("dashscope", "openai_chat"),
    "https://aihubmix.com/v1/chat/completions": ("aihubmix", "openai_chat"),
    "https://api.moonshot.cn/v1/chat/completions": ("moonshot", "openai_chat"),
    "https://acme.openai.azure.com/openai/deployments/d/chat/completions?api-version=1": (
        "azure",
        "openai_chat",
    ),
    "https://bedrock-runtime.eu-west-1.amazonaws.com": ("bedrock", "anthropic"),
    "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/europe-west1/publishers/anthropic/models": (
        "vertex",
        "anthropic",
    ),
}
"""Addresses of the ancestor's README, and of others that have two hosts or a pattern."""


@pytest.mark.parametrize("url", ANCESTOR)
def test_addresses_that_people_have_configured(url: str) -> None:
    spec = BOOK.by_url(url)
    assert spec is not None
    endpoint = spec.endpoint_for(url)
    assert endpoint is not None
    assert ANCESTOR[url] == (spec.name, endpoint.dialect)


def test_the_providers_that_ship() -> None:
    expected = {path.stem for path in FOLDER.glob("*.toml")}
    assert expected == set(BOOK.names())
    assert {"demo", "openai", "anthropic", "openrouter", "deepseek", "ollama", "gemini"} <= expected


def test_a_host_belongs_to_one_provider() -> None:
    hosts = [host for spec in load_providers() for host in spec.hosts]
    assert len(set(hosts)) == len(hosts)
