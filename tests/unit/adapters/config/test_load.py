"""A whole text, from the ancestor's complete configuration to the routers of projects."""

from __future__ import annotations

import pytest

from ccr.adapters.config.load import load, locate, placed, revision_of
from ccr.domain.errors import ConfigError, Problem
from tests.support.configs import keys, loaded, problems, provider, settings, warnings

# The complete configuration of the ancestor (ccr-behaviour.md, appendix B), its two JavaScript files ported.
COMPLETE = """
{
  PORT: 3456, HOST: "0.0.0.0", APIKEY: "$CCR_KEY",        // HOST honoured only with APIKEY
  LOG: true, LOG_LEVEL: "info", API_TIMEOUT_MS: 600000,
  PROXY_URL: "http://127.0.0.1:7890",
  NON_INTERACTIVE_MODE: false, CLAUDE_PATH: "claude",
  CUSTOM_ROUTER_PATH: "$HOME/.claude-code-router/custom_router.py",
  REWRITE_SYSTEM_PROMPT: "/path/prompt.md", forceUseImageAgent: false,
  transformers: [{ path: "/abs/path/my_transformer.py", options: { project: "x" } }],
  Providers: [
    { name: "openrouter", api_base_url: "https://openrouter.ai/api/v1/chat/completions", api_key: "$OPENROUTER_KEY",
      models: ["anthropic/claude-sonnet-4", "moonshotai/kimi-k2"],
      transformer: { use: ["openrouter"], "moonshotai/kimi-k2": { use: [["openrouter", { provider: { only: ["moonshotai/fp8"] } }]] } } },
    { name: "deepseek", api_base_url: "https://api.deepseek.com/chat/completions", api_key: "sk-1",
      models: ["deepseek-chat"], transformer: { use: ["deepseek"], "deepseek-chat": { use: ["tooluse"] } } },
    { name: "dashscope", api_base_url: "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions", api_key: "k",
      models: ["qwen3-coder-plus"], transformer: { use: [["maxtoken", { max_tokens: 65536 }], "enhancetool"] } },
    { name: "gemini", api_base_url: "https://generativelanguage.googleapis.com/v1beta/models/", api_key: "k",
      models: ["gemini-2.5-pro"], transformer: { use: ["gemini"] } },
    { name: "anthropic", api_base_url: "https://api.anthropic.com/v1/messages", api_key: "k",
      models: ["claude-sonnet-4-5"], transformer: { use: ["Anthropic"] } },
    { name: "ollama", api_base_url: "http://localhost:11434/v1/chat/completions", api_key: "ollama", models: ["qwen2.5-coder:latest"] }
  ],
  Router: { default: "deepseek,deepseek-chat", background: "ollama,qwen2.5-coder:latest", think: "anthropic,claude-sonnet-4-5",
            longContext: "gemini,gemini-2.5-pro", longContextThreshold: 60000, webSearch: "gemini,gemini-2.5-pro", image: "gemini,gemini-2.5-pro" },
  StatusLine: { enabled: true, currentStyle: "default", default: { modules: [ { type: "model", icon: "🤖", text: "{{model}}", color: "#00ffff" } ] } },
  fallback: { default: ["openrouter,anthropic/claude-sonnet-4"] },
  plugins: [{ name: "token-speed", enabled: true, options: {} }]
}
"""
COMPLETE_ENV = {"CCR_KEY": "ccr-secret-value", "OPENROUTER_KEY": "or-secret-value", "HOME": "/home/me"}


def test_the_ancestors_complete_configuration_loads() -> None:
    found = loaded(COMPLETE, COMPLETE_ENV)
    assert [entry.name for entry in found.settings.providers] == [
        "openrouter", "deepseek", "dashscope", "gemini", "anthropic", "ollama",
    ]  # fmt: skip
    router = found.settings.router
    assert (router.default, router.background, router.think) == (
        "deepseek,deepseek-chat", "ollama,qwen2.5-coder:latest", "anthropic,claude-sonnet-4-5",
    )  # fmt: skip
    assert router.fallback == {"default": ("openrouter,anthropic/claude-sonnet-4",)}
    use = found.settings.providers[0].model_use["moonshotai/kimi-k2"][0]
    assert (use.name, use.options) == ("openrouter", {"provider": {"only": ["moonshotai/fp8"]}})
    assert use.where == 'Providers[0].transformer["moonshotai/kimi-k2"].use[0]'
    assert [str(problem) for problem in found.warnings] == [
        "c.json:28:3: plugins: plugins is known, but not yet in effect",
    ]


def test_no_secret_is_shown_by_settings() -> None:
    found = settings(COMPLETE, COMPLETE_ENV)
    for secret in ("ccr-secret-value", "or-secret-value", "sk-1"):
        assert secret not in repr(found)
        assert secret not in repr(dict(found.raw))


def test_equal_text_equal_revision() -> None:
    assert loaded(keys("")).revision == revision_of(keys("")) != revision_of(keys(" "))


def test_custom_routers_see_the_expanded_file_without_secrets() -> None:
    raw = settings(keys('mine: "$X", my_token: "t"'), {"X": "x"}).raw
    assert (raw["mine"], raw["my_token"]) == ("x", "***")


def test_text_that_is_not_json5_is_told_with_every_fault() -> None:
    found = problems("{\n PORT: nope,\n HOST: 'x\n}")
    assert [problem.split(":")[1:3] for problem in found] == [["2", "8"], ["3", "8"]]
    assert problems("[]") == ["c.json:1:1: $: the configuration should be an object { }"]
    assert "the file is empty" in problems("")[0]


def test_a_key_that_is_given_twice_is_told() -> None:
    (warning,) = warnings(keys("PORT: 1,\n PORT: 2"))
    assert warning == "c.json:2:2: PORT: the key 'PORT' is given twice, first in line 1; the last one counts"
    assert settings(keys("PORT: 1, PORT: 2")).server.port == 2
    assert len(problems(keys("PORT: 1, PORT: 2"), strict=True)) == 1


def test_an_unset_variable_of_a_provider_in_use_is_an_error() -> None:
    text = '{Providers: [{name: "p", api_base_url: "https://h/", api_key: "$GONE"}], Router: {default: "%s"}}'
    (problem,) = problems(text % "p,m")
    assert problem.startswith("c.json:1:63: Providers[0].api_key: the variable GONE is not set (export GONE")
    assert problems(text % "P,m") == [problem]


def test_an_unset_variable_of_a_provider_that_no_route_uses_warns_and_sends_nothing() -> None:
    found = loaded(
        '{Providers: [{name: "p", api_base_url: "https://h/", api_key: "$GONE"}], Router: {default: "demo,demo"}}'
    )
    assert found.settings.providers[0].api_keys == ()
    assert next(problem.message for problem in found.warnings) == "the variable GONE is not set"


def test_an_unset_variable_is_told_once() -> None:
    text = provider('name: "p", api_base_url: "$GONE", api_key: "$GONE_TOO", models: ["m"]')
    assert [problem.split(": ")[1] for problem in problems(text)] == [
        "Providers[0].api_base_url",
        "Providers[0].api_key",
    ]


def test_an_unset_variable_in_a_fallback_provider_is_an_error() -> None:
    text = """{Providers: [{name: "p", api_base_url: "https://h/", api_key: "x$GONE"}], Router: {default: "demo,demo"},
      fallback: {default: ["p,m"]}}"""
    assert len(problems(text)) == 1


def test_an_unset_variable_where_it_does_no_harm_warns() -> None:
    assert "the variable GONE is not set" in warnings(keys('StatusLine: {fontFamily: "$GONE"}'))[0]
    assert any("the variable GONE is not set" in w for w in warnings(keys('unknown: "$GONE"')))


def test_what_only_looks_like_a_reference_warns() -> None:
    assert "a literal dollar is $$" in warnings(keys('CLAUDE_PATH: "${x y}"'))[0]


def test_others_turn_their_findings_into_problems_with_a_place() -> None:
    problem = locate(
        COMPLETE, file="c.json", where="Providers[2].transformer.use[0][1].max_tokens", message="too many"
    )
    assert str(problem) == "c.json:17:85: Providers[2].transformer.use[0][1].max_tokens: too many"
    unplaced = ConfigError([Problem("c.json", 0, 0, "Router.think", "no"), Problem("c.json", 3, 1, "x", "y")])
    assert [(found.line, found.column) for found in placed(COMPLETE, unplaced).problems] == [(24, 98), (3, 1)]


def test_a_value_of_the_wrong_shape_does_not_hide_what_else_is_wrong() -> None:
    text = """{PORT: "abc", Providers: [{name: "a", api_base_url: "http://x.test/v1/messages", models: ["m"]}],
      Router: {default: "b,m", think: 5}}"""
    with pytest.raises(ConfigError) as caught:
        load(text, file="config.json", environ={})
    told = [problem.path for problem in caught.value.problems if problem.severity == "error"]

    assert told == ["PORT", "Router.default", "Router.think"]


def test_where_the_rest_cannot_be_checked_the_wrong_shapes_are_still_told() -> None:
    text = '{PORT: "abc", Providers: [5, {name: "a"}], Router: {default: "b,m"}}'
    with pytest.raises(ConfigError) as caught:
        load(text, file="config.json", environ={})
    told = {problem.path for problem in caught.value.problems}

    assert "PORT" in told
