"""Old forms of the file."""

from __future__ import annotations

from ccr.domain.secret import Secret
from tests.support.configs import loaded, problems, warnings


def test_the_other_spelling_of_providers() -> None:
    text = '{providers: [{name: "p", api_base_url: "nonsense", api_key: "k"}], Router: {default: "p,m"}}'
    assert problems(text)[0].startswith("c.json:1:40: providers[0].api_base_url: should begin with http://")
    both = '{providers: [], Providers: [], Router: {default: "demo,demo"}}'
    assert "another spelling of Providers" in warnings(both)[0]


def test_the_flat_form_of_the_ancestors_action() -> None:
    text = '{"log": true, "OPENAI_API_KEY": "sk-1", "OPENAI_BASE_URL": "https://api.deepseek.com", "OPENAI_MODEL": "deepseek-chat"}'
    found = loaded(text)
    (entry,) = found.settings.providers
    assert (entry.url, entry.models, entry.api_keys) == (
        "https://api.deepseek.com/chat/completions", ("deepseek-chat",), (Secret("sk-1"),),
    )  # fmt: skip
    assert found.settings.router.default == "openai,deepseek-chat"
    assert (found.warnings, found.settings.logging.enabled) == ((), True)


def test_problems_of_the_flat_form_point_at_its_own_keys() -> None:
    assert problems('{"OPENAI_API_KEY": "$GONE", "OPENAI_MODEL": "m"}')[0].startswith(
        "c.json:1:20: OPENAI_API_KEY: "
    )
    assert any("OPENAI_MODEL is missing" in p for p in problems('{"OPENAI_API_KEY": "k"}'))
    assert "OPENAI_BASE_URL" in problems('{"OPENAI_BASE_URL": "ftp://x", "OPENAI_MODEL": "m"}')[0]
