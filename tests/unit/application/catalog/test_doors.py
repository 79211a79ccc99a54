from __future__ import annotations

import pytest

from ccr.application.catalog.doors import combined, credential_kind, endpoint_of
from ccr.application.ports.provider import Endpoint, ProviderSpec
from ccr.application.ports.transformer import Door
from ccr.application.settings import ProviderSettings

CHAT = Endpoint("openai_chat", "https://api.p.test/v1/chat/completions")
SPEAKS = Endpoint("anthropic", "https://api.p.test/anthropic/v1/messages")
SPEC = ProviderSpec("p", endpoints=(CHAT, SPEAKS))
NATIVE = ProviderSpec(
    "anthropic",
    credential="x-api-key",
    endpoints=(Endpoint("anthropic", "https://api.anthropic.com/v1/messages", is_anthropic=True),),
)
NOBODY = ProviderSpec("x")


def found(
    url: str,
    spec: ProviderSpec = NOBODY,
    door: Door | None = None,
    name: str = "x",
    dialect: str | None = None,
) -> Endpoint | None:
    return endpoint_of(ProviderSettings(name, url, dialect=dialect), spec, door or Door())


@pytest.mark.parametrize(
    "url, dialect",
    [
        ("http://x.test/v1/messages", "anthropic"),
        ("http://x.test/v1/chat/completions/", "openai_chat"),
        ("http://x.test/v1/responses", "openai_responses"),
        ("http://x.test/v1beta/models/g:generateContent", "gemini"),
        ("http://x.test/v1beta/models/g:streamGenerateContent?alt=sse", "gemini"),
    ],
)
def test_an_unknown_address_is_known_by_its_shape(url: str, dialect: str) -> None:
    endpoint = found(url)

    assert endpoint is not None
    assert (endpoint.dialect, endpoint.hosting, endpoint.is_anthropic) == (dialect, "direct", False)


def test_an_address_without_a_shape_is_not_guessed() -> None:
    assert found("http://x.test/api") is None


def test_what_is_said_counts_most_then_the_transformer_then_the_file() -> None:
    door = Door(dialect="gemini", hosting="vertex")

    assert found(CHAT.url, SPEC) == CHAT
    by_door, by_word = found(CHAT.url, SPEC, door), found(CHAT.url, SPEC, door, dialect="openai_responses")
    assert by_door is not None
    assert by_word is not None
    assert (by_door.dialect, by_door.hosting) == ("gemini", "vertex")
    assert by_word.dialect == "openai_responses"


def test_who_merely_speaks_like_anthropic_is_not_made_anthropic_by_a_transformer() -> None:
    endpoint = found(SPEAKS.url, SPEC, Door(dialect="anthropic", native=True))

    assert endpoint is not None
    assert not endpoint.is_anthropic


@pytest.mark.parametrize(
    "name, door, expected",
    [
        ("x", Door(dialect="anthropic", native=True), True),
        ("anthropic", Door(), True),
        ("Anthropic", Door(), True),
        ("mine", Door(), False),
    ],
)
def test_a_proxy_before_anthropic_is_known_by_a_transformer_or_by_its_name(
    name: str, door: Door, expected: bool
) -> None:
    spec = NATIVE if name.lower() == "anthropic" else NOBODY
    endpoint = found("http://proxy.test/v1/messages", spec, door, name)

    assert endpoint is not None
    assert endpoint.is_anthropic is expected


def test_doors_of_a_chain_are_laid_over_each_other() -> None:
    assert combined([]) == Door()
    chain = [Door(dialect="anthropic", native=True), None, Door(credential="bearer"), Door(dialect="gemini")]
    assert combined(chain) == Door("gemini", "", "bearer", native=True)


@pytest.mark.parametrize(
    "spec, endpoint, door, kind",
    [
        (NOBODY, CHAT, Door(), "bearer"),
        (NOBODY, Endpoint("anthropic", "u", is_anthropic=True), Door(), "x-api-key"),
        (NATIVE, Endpoint("anthropic", "u"), Door(), "x-api-key"),
        (SPEC, SPEAKS, Door(), "bearer"),
        (NATIVE, Endpoint("anthropic", "u", is_anthropic=True), Door(credential="bearer"), "bearer"),
        (ProviderSpec("b", credential="aws", endpoints=(CHAT,)), CHAT, Door(), "aws"),
        (NOBODY, Endpoint("openai_chat", "u", credential="api-key"), Door(), "api-key"),
    ],
)
def test_the_login(spec: ProviderSpec, endpoint: Endpoint, door: Door, kind: str) -> None:
    assert credential_kind(spec, endpoint, door) == kind
