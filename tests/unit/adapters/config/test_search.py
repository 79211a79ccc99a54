"""``Search`` and ``forceUseImageAgent``."""

from __future__ import annotations

import pytest

from ccr.application.settings import SearchSettings
from ccr.domain.secret import Secret
from tests.support.configs import keys, problems, settings, warnings


def test_without_the_block_there_is_no_engine() -> None:
    assert settings(keys("")).search == SearchSettings()


def test_the_block_becomes_settings() -> None:
    text = 'Search: {engine: "tavily", apiKey: "$KEY", url: "https://t.test", maxResults: 3, maxUses: 2}'
    found = settings(keys(text), {"KEY": "tvly-secret"})

    assert found.search == SearchSettings("tavily", Secret("tvly-secret"), "https://t.test", 3, 2)
    assert "tvly-secret" not in repr(found)


def test_searxng_needs_no_key() -> None:
    text = keys('Search: {engine: "searxng", url: "http://127.0.0.1:8080"}')

    assert settings(text).search == SearchSettings("searxng", None, "http://127.0.0.1:8080")
    assert warnings(text) == []


def test_an_unset_key_is_no_reason_not_to_start() -> None:
    told = warnings(keys('Search: {engine: "brave", apiKey: "$NOT_SET_ANYWHERE"}'))

    assert any("brave has no apiKey: there is no web search of our own" in warning for warning in told)


def test_searxng_without_an_address_is_told() -> None:
    (told,) = warnings(keys('Search: {engine: "searxng"}'))

    assert "searxng has no url" in told


@pytest.mark.parametrize(
    "block, what",
    [
        ('{engine: "google", apiKey: "k"}', "should be one of tavily, brave, exa, searxng"),
        ('{apiKey: "k"}', "engine"),
        ('{engine: "searxng", url: "ftp://x"}', "should begin with http"),
        ('{engine: "exa", apiKey: "k", maxResults: 100}', "at most 20"),
    ],
)
def test_what_makes_no_sense_is_told(block: str, what: str) -> None:
    assert what in problems(keys(f"Search: {block}"))[0]


def test_an_unknown_key_warns() -> None:
    (told,) = warnings(keys('Search: {engine: "exa", apiKey: "k", maxResult: 3}'))

    assert "did you mean maxResults?" in told


def test_force_use_image_agent_is_in_effect() -> None:
    text = '{Router: {default: "demo,demo", image: "demo,demo"}, forceUseImageAgent: true}'

    assert settings(text).router.describe_images
    assert warnings(text) == []


def test_force_use_image_agent_without_an_image_route_is_told() -> None:
    (told,) = warnings(keys("forceUseImageAgent: true"))

    assert "does nothing without Router.image" in told
