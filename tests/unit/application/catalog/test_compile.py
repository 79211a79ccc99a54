"""Settings compiled with the real dialects, providers and transformers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from ccr.adapters.config.fixed_store import FixedStore, loaded_from
from ccr.application.catalog.compile import UNKNOWN_MAX_OUTPUT
from ccr.application.catalog.holder import Catalog
from ccr.domain.errors import ConfigError, UnknownModelError, UnsupportedError
from ccr.domain.models import ModelRef, ReasoningStyle
from ccr.entrypoints.lifecycle import running

OPENAI = {
    "name": "o",
    "api_base_url": "http://o.test/v1/chat/completions",
    "api_key": "kkkkkkkkkkkk",
    "models": ["m"],
}


def compiled(*providers: Mapping[str, Any], **top: Any) -> Catalog:
    loaded = loaded_from({"Providers": list(providers), "Router": {"default": "demo,demo"}, **top}, {})
    made = running(environ={"HOME": "/dev/null"}, store=FixedStore(loaded))
    return made.container.compiler()(loaded)


def target_of(**changes: Any) -> Any:
    provider = {**OPENAI, **changes}
    model = provider["models"][0] if provider["models"] else "any"
    return compiled(provider).target(ModelRef("o", model))


def test_the_demo_provider_is_there_without_being_configured() -> None:
    catalog = compiled()

    assert str(catalog.target(ModelRef("demo", "demo")).endpoint.url).startswith("demo:")


def test_a_provider_of_that_name_replaces_it() -> None:
    catalog = compiled({**OPENAI, "name": "demo", "models": ["demo"]})

    assert catalog.target(ModelRef("demo", "demo")).endpoint.url == OPENAI["api_base_url"]


@pytest.mark.parametrize(
    "url, use, dialect, is_anthropic",
    [
        ("http://o.test/v1/chat/completions", [], "openai_chat", False),
        ("http://o.test/v1/messages", [], "anthropic", False),
        ("http://o.test/v1/messages/", ["Anthropic"], "anthropic", True),
        ("http://o.test/anything", ["Anthropic"], "anthropic", True),
        ("https://api.anthropic.com/v1/messages", [], "anthropic", True),
        ("https://api.deepseek.com/chat/completions", [], "openai_chat", False),
    ],
)
def test_the_dialect_is_recognised(url: str, use: list[str], dialect: str, is_anthropic: bool) -> None:
    target = target_of(api_base_url=url, transformer={"use": use})

    assert (target.dialect.name, target.destination.is_anthropic) == (dialect, is_anthropic)


@pytest.mark.parametrize(
    "changes, header",
    [
        ({}, ("authorization", "Bearer kkkkkkkkkkkk")),
        (
            {"transformer": {"use": ["Anthropic"]}, "api_base_url": "http://o.test/v1/messages"},
            ("x-api-key", "kkkkkkkkkkkk"),
        ),
        (
            {
                "transformer": {"use": [["Anthropic", {"UseBearer": True}]]},
                "api_base_url": "http://o.test/v1/messages",
            },
            ("authorization", "Bearer kkkkkkkkkkkk"),
        ),
    ],
)
@pytest.mark.anyio
async def test_the_key_goes_where_the_provider_looks_for_it(changes: Any, header: tuple[str, str]) -> None:
    from ccr.application.ports.upstream import UpstreamRequest

    request = UpstreamRequest("POST", "http://o.test/", (), b"")
    signed = await target_of(**changes).credential.authorize(request)

    assert signed.headers == (header,)


def test_a_proxy_before_anthropic_has_anthropics_models() -> None:
    there = {"api_base_url": "http://o.test/v1/messages", "models": ["claude-opus-4-7"]}
    known = target_of(**there, transformer={"use": ["Anthropic"]}).destination.profile
    merely = target_of(**there).destination.profile

    assert (known.reasoning, known.prefill, known.web_search) == (
        ReasoningStyle.ANTHROPIC,
        False,
        "anthropic",
    )
    assert (merely.reasoning, merely.web_search) == (ReasoningStyle.NONE, "")


@pytest.mark.parametrize(
    "url, use, sent",
    [
        ("http://o.test/v1/messages", ["Anthropic"], True),
        ("http://o.test/v1/messages", [], True),
        ("https://bedrock-runtime.us-east-1.amazonaws.com", [], False),
        (
            "https://us-east5-aiplatform.googleapis.com/v1/projects/p/locations/us-east5",
            ["vertex-claude"],
            False,
        ),
    ],
)
def test_a_version_that_a_cloud_wants_in_the_body_is_no_header(url: str, use: list[str], sent: bool) -> None:
    target = target_of(api_base_url=url, transformer={"use": use}, models=["claude-opus-4-7"])

    assert ("anthropic-version" in dict(target.headers)) is sent
    assert target.destination.is_anthropic is (use == ["Anthropic"])


def test_a_provider_whose_dialect_is_not_known_loads_and_says_so() -> None:
    catalog = compiled({**OPENAI, "api_base_url": "https://o.test/v1beta/elsewhere/"})

    assert any("does not speak" in str(warning) for warning in catalog.warnings)
    with pytest.raises(UnsupportedError, match="does not speak"):
        catalog.target(ModelRef("o", "m"))


def test_a_provider_without_a_list_takes_any_model_and_remembers_a_bounded_number() -> None:
    catalog = compiled({**OPENAI, "models": []})
    first = catalog.target(ModelRef("o", "model-0"))

    assert catalog.target(ModelRef("o", "model-0")) is first
    for number in range(300):
        catalog.target(ModelRef("o", f"model-{number}"))
    assert catalog.target(ModelRef("o", "model-0")) is not first
    with pytest.raises(UnknownModelError):
        catalog.target(ModelRef("o", ""))


def test_a_routed_model_that_is_not_listed_is_compiled_too() -> None:
    catalog = compiled(OPENAI, Router={"default": "o,m", "think": "o,other"})

    assert catalog.target(ModelRef("o", "other")).ref.model == "other"
    with pytest.raises(UnknownModelError):
        catalog.target(ModelRef("o", "nobody-named-it"))


def test_an_unknown_limit_is_conservative_and_a_configured_one_wins() -> None:
    assert target_of().destination.profile.max_output == UNKNOWN_MAX_OUTPUT
    limits = {"modelLimits": {"m": {"contextWindow": 1000, "maxOutput": 99}}}
    profile = target_of(**limits).destination.profile

    assert (profile.context_window, profile.max_output) == (1000, 99)


def test_every_bad_transformer_is_said_at_once() -> None:
    uses = ["nothing", ["maxtoken", {"max_tokens": "many"}]]
    with pytest.raises(ConfigError) as caught:
        compiled({**OPENAI, "transformer": {"use": uses}})

    assert len(caught.value.problems) == 2
    assert "nothing" in str(caught.value)


def test_transformers_of_a_model_come_after_those_of_its_provider() -> None:
    use = {"use": [["maxtoken", {"max_tokens": 10}]], "m": {"use": ["cleancache"]}}
    pipeline = target_of(transformer=use).pipeline

    assert not pipeline.is_identity
    assert len(pipeline.requests) + len(pipeline.payloads) == 2


def test_time_limits_are_capped_by_the_api_timeout() -> None:
    timeouts = (
        compiled(OPENAI, API_TIMEOUT_MS=2000, Timeouts={"connectMs": 1000})
        .target(ModelRef("o", "m"))
        .timeouts
    )

    assert (timeouts.connect, timeouts.first_byte, timeouts.idle, timeouts.total) == (1.0, 2.0, 2.0, None)


def test_headers_of_a_provider_are_sent_in_lower_case() -> None:
    assert dict(target_of(headers={"X-Team": "a"}).headers)["x-team"] == "a"


def test_a_custom_router_that_cannot_be_loaded_is_a_problem() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        compiled(OPENAI, CUSTOM_ROUTER_PATH="/nonexistent/router.py")
