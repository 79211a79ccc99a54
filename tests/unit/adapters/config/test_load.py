"""Every documented key, and what is said about a configuration that is wrong."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from ccr.adapters.config.load import load, load_router, locate, placed, revision_of
from ccr.application.ports.config import Loaded
from ccr.application.settings import RouterSettings, Settings
from ccr.application.settings.providers import ModelOverride
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.secret import Secret

ROUTE = 'Router: { default: "demo,demo" }'
PROVIDER = 'name: "p", api_base_url: "https://h/v1/chat/completions", api_key: "k", models: ["m", "org/n"]'

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


def loaded(text: str, environ: Mapping[str, str] | None = None, *, strict: bool = False) -> Loaded:
    return load(text, file="c.json", environ=environ or {}, strict=strict)


def settings(text: str, environ: Mapping[str, str] | None = None) -> Settings:
    return loaded(text, environ).settings


def problems(text: str, environ: Mapping[str, str] | None = None, *, strict: bool = False) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text, environ, strict=strict)
    return [str(problem) for problem in caught.value.problems if problem.severity == "error"]


def warnings(text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    return [str(problem) for problem in loaded(text, environ).warnings]


def keys(text: str) -> str:
    return "{" + ROUTE + ", " + text + "}"


def provider(text: str) -> str:
    return "{Providers: [{" + text + "}], " + 'Router: {default: "p,m"}' + "}"


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
        "c.json:9:3: transformers: transformers is known, but not yet in effect",
        "c.json:28:3: plugins: plugins is known, but not yet in effect",
    ]


def test_no_secret_is_shown_by_settings() -> None:
    found = settings(COMPLETE, COMPLETE_ENV)
    for secret in ("ccr-secret-value", "or-secret-value", "sk-1"):
        assert secret not in repr(found)
        assert secret not in repr(dict(found.raw))


def test_defaults() -> None:
    found = settings("{" + ROUTE + "}")
    assert found.server == Settings().server
    assert found.timeouts == Settings().timeouts
    assert found.limits == Settings().limits
    assert found.client == Settings().client
    assert found.logging == Settings().logging
    assert found.router == RouterSettings(default="demo,demo")


def test_where_the_gateway_listens() -> None:
    server = settings(keys('HOST: "::1", PORT: 4000, APIKEY: "secret"')).server
    assert (server.host, server.port, server.api_key) == ("::1", 4000, Secret("secret"))


def test_numbers_and_booleans_may_come_from_variables() -> None:
    found = settings(keys('PORT: "$P", LOG: "$L", API_TIMEOUT_MS: "${T:-5000}"'), {"P": "4000", "L": "false"})
    assert (found.server.port, found.logging.enabled, found.timeouts.api) == (4000, False, 5.0)
    assert found.client.api_timeout_ms == 5000


def test_service_port_wins() -> None:
    found = settings(keys("PORT: 4000"), {"SERVICE_PORT": "5000"})
    assert (found.server.port, found.origins["PORT"]) == (5000, "env:SERVICE_PORT")
    assert "SERVICE_PORT" in problems(keys("PORT: 4000"), {"SERVICE_PORT": "http"})[0]


def test_logging_keys() -> None:
    assert settings(keys("LOG: false")).logging.enabled is False
    assert settings(keys("log: true")).logging.enabled is True
    assert settings(keys('LOG_LEVEL: "warn"')).logging.level == "warn"
    text = keys('Logging: {enabled: false, level: "debug", logDirectory: "~/logs", logBodies: true}')
    found = settings(text, {"HOME": "/h"}).logging
    assert (found.enabled, found.level, found.directory, found.bodies) == (False, "debug", "/h/logs", True)
    assert settings(keys('LOG_LEVEL: "error", Logging: {level: "debug"}')).logging.level == "error"


def test_the_promised_logging_block_is_checked_and_told_to_be_without_effect() -> None:
    block = """Logging: { level: "info", enableFileRotation: true, retentionDays: 7, logDirectory: "./logs",
      enableBackwardCompatibility: true, maxFileSize: "100M", rotationInterval: "1d", compressLogs: true,
      consoleOutput: true, requestTracking: {enabled: true, includeDetails: true},
      performance: {bufferSize: 8192, flushInterval: 10000, maxSessionAge: 3600000},
      errorHandling: {enableStatistics: true, enableTrendAnalysis: true, maxHistorySize: 1000, maxRetries: 3} }"""
    assert all("not yet in effect" in warning for warning in warnings(keys(block)))
    assert len(warnings(keys(block))) == 10
    assert "at most 365" in problems(keys("Logging: {retentionDays: 400}"))[0]
    assert "does not look like" in problems(keys('Logging: {maxFileSize: "big"}'))[0]
    assert "at least 512" in problems(keys("Logging: {performance: {bufferSize: 1}}"))[0]


def test_the_second_shape_of_the_logging_block() -> None:
    block = """Logging: { enabled: true, timestamp: true, serviceName: "x", version: "1", environment: "e", streams: [{}],
      enhancedFeatures: {a: 1}, backwardCompatibility: {a: 1}, LoggingPresets: {a: 1} }"""
    assert len(warnings(keys(block))) == 8


def test_timeouts() -> None:
    text = "Timeouts: {connectMs: 1, firstByteMs: 2000, idleMs: 0, totalMs: 4000, commitAfterMs: 50, keepAliveMs: 60, drainMs: 70, drainWaitMs: 80}"
    found = settings(keys(text))
    assert (found.timeouts.connect, found.timeouts.first_byte, found.timeouts.idle) == (0.001, 2.0, None)
    assert (found.timeouts.total, found.timeouts.commit_after, found.timeouts.keep_alive) == (4.0, 0.05, 0.06)
    assert (found.server.drain_timeout, found.server.drain_wait) == (0.07, 0.08)


def test_limits_and_admin() -> None:
    text = """Limits: {maxBodyBytes: 2048, maxReplyBytes: 4096, maxEventBytes: 1024, bodyIdleMs: 10, bodyTotalMs: 20},
      Admin: {hosts: ["a.b"], origins: "http://x,http://y", workers: 2}"""
    found = settings(keys(text))
    assert (found.limits.max_body, found.limits.max_reply, found.limits.max_event) == (2048, 4096, 1024)
    assert (found.limits.body_idle, found.limits.body_total) == (0.01, 0.02)
    assert (found.server.hosts, found.server.origins, found.server.workers) == (
        ("a.b",),
        ("http://x", "http://y"),
        2,
    )


@pytest.mark.parametrize("name", ["PROXY_URL", "HTTPS_PROXY", "https_proxy", "httpsProxy"])
def test_the_proxy_under_all_its_names(name: str) -> None:
    assert settings(keys(f'{name}: "http://u:p@proxy:8080"')).proxy_url == "http://u:p@proxy:8080"


@pytest.mark.parametrize(
    "text, environ, hosts",
    [
        ("", {}, ()),
        ("", {"NO_PROXY": "a, .b"}, ("a", ".b")),
        ("", {"no_proxy": "c"}, ("c",)),
        ("PROXY_BYPASS: ['k']", {"NO_PROXY": "a"}, ("k",)),
        ("PROXY_BYPASS: 'k,l'", {"PROXY_BYPASS": "e", "NO_PROXY": "a"}, ("e",)),
    ],
)
def test_who_is_spared_by_the_proxy(text: str, environ: dict[str, str], hosts: tuple[str, ...]) -> None:
    assert settings(keys(text), environ).proxy_bypass == hosts


def test_what_is_handed_to_the_client() -> None:
    text = 'CLAUDE_PATH: "~/bin/claude", NON_INTERACTIVE_MODE: true, ANTHROPIC_SMALL_FAST_MODEL: "h", StatusLine: {enabled: true}'
    found = settings(keys(text), {"HOME": "/h", "CLAUDE_PATH": "other"}).client
    assert (found.claude_path, found.non_interactive, found.small_fast_model, found.status_line) == (
        "/h/bin/claude", True, "h", True,
    )  # fmt: skip
    assert settings(keys(""), {"CLAUDE_PATH": "other"}).client.claude_path == "other"


def test_status_line_keys() -> None:
    text = """StatusLine: {enabled: true, currentStyle: "powerline", fontFamily: "x", powerline: {modules: [
      {type: "usage", icon: "a", text: "{{inputTokens}}", color: "red", background: "bright_blue"}]}}"""
    assert warnings(keys(text)) == []
    assert "one of workDir" in problems(keys('StatusLine: {default: {modules: [{type: "x"}]}}'))[0]
    assert (
        "not yet in effect"
        in warnings(keys('StatusLine: {default: {modules: [{type: "script", scriptPath: "x.js"}]}}'))[0]
    )


def test_paths_of_the_user() -> None:
    found = settings(
        keys('CUSTOM_ROUTER_PATH: "~/r.py", REWRITE_SYSTEM_PROMPT: "$HOME/p.md"'), {"HOME": "/h"}
    )
    assert (found.router.custom_router, found.rewrite_system_prompt) == ("/h/r.py", "/h/p.md")


@pytest.mark.parametrize("text", [
    "forceUseImageAgent: true", 'plugins: [{name: "a"}]', 'Plugins: [{name: "a"}]', 'transformers: [{path: "t.py"}]',
    "Team: {a: 1}", "Ledger: {a: 1}", 'LOG_FILE: "x"',
])  # fmt: skip
def test_known_but_not_yet_in_effect(text: str) -> None:
    (warning,) = warnings(keys(text))
    assert "is known, but not yet in effect" in warning


def test_the_tokenizer_of_a_provider_is_not_yet_in_effect() -> None:
    text = provider(
        PROVIDER + ', tokenizer: {default: {type: "tiktoken", encoding: "cl100k_base"}, models: {}}'
    )
    assert [warning.split(": ", 1)[1] for warning in warnings(text)] == [
        "Providers[0].tokenizer: tokenizer is known, but not yet in effect"
    ]


@pytest.mark.parametrize("text", ["forceUseImageAgent: false", "plugins: []", "transformers: []"])
def test_switched_off_needs_no_warning(text: str) -> None:
    assert warnings(keys(text)) == []


def test_router_keys() -> None:
    text = """{Providers: [{%s}], Router: {default: "p,m", background: "P,M", think: "p/m", longContext: "p,org/n",
      longContextThreshold: "1000", webSearch: "p,m:online", image: "p,m[1m]", compaction: "p,m", subagent: " p , m ",
      agents: {Explore: "p,m"}, models: {"claude-*": "p,m"}, thinkEffort: "max", customFirst: true,
      customTimeoutMs: 500, projectRouters: false}}"""
    router = settings(text % PROVIDER).router
    assert (router.default, router.background, router.think) == ("p,m", "P,M", "p/m")
    assert (router.long_context, router.long_context_threshold) == ("p,org/n", 1000)
    assert (router.web_search, router.image, router.compaction, router.subagent) == (
        "p,m:online",
        "p,m[1m]",
        "p,m",
        " p , m ",
    )
    assert (router.agents, router.models) == ({"Explore": "p,m"}, {"claude-*": "p,m"})
    assert (router.think_effort, router.custom_first, router.custom_timeout, router.session_routers) == (
        "max",
        True,
        0.5,
        False,
    )


def test_empty_and_null_mean_not_set() -> None:
    text = '{Providers: null, PORT: null, Router: {default: "demo,demo", think: "", image: null}}'
    assert settings(text).router == RouterSettings(default="demo,demo")


def test_provider_keys() -> None:
    (found,) = settings(provider(
        PROVIDER + ', dialect: "openai_chat", headers: {"X-Title": "t"}, modelLimits: {m: {contextWindow: 1000, maxOutput: 10}}'
    )).providers  # fmt: skip
    assert (found.name, found.url, found.models) == ("p", "https://h/v1/chat/completions", ("m", "org/n"))
    assert (found.api_keys, found.dialect, found.headers) == ((Secret("k"),), "openai_chat", {"X-Title": "t"})
    assert (found.overrides, found.where) == ({"m": ModelOverride(1000, 10)}, "Providers[0]")


def test_a_provider_may_have_several_keys() -> None:
    text = provider('name: "p", api_base_url: "https://h/", api_key: ["$A", "b", ""], models: ["m"]')
    assert settings(text, {"A": "a"}).providers[0].api_keys == (Secret("a"), Secret("b"))


@pytest.mark.parametrize("key", ['api_key: "",', ""])
def test_a_provider_without_key_loads_with_one_warning(key: str) -> None:
    found = loaded(provider(f'name: "p", api_base_url: "https://h/", {key} models: ["m"]'))
    assert found.settings.providers[0].api_keys == ()
    assert [problem.message for problem in found.warnings] == [
        "p has no api_key: no auth header is sent to it"
    ]


def test_a_provider_that_lists_no_models_takes_any() -> None:
    found = settings(
        '{Providers: [{name: "p", api_base_url: "https://h/", api_key: "k"}], Router: {default: "p,any"}}'
    )
    assert found.router.default == "p,any"


def test_the_other_spelling_of_providers() -> None:
    text = '{providers: [{name: "p", api_base_url: "nonsense", api_key: "k"}], Router: {default: "p,m"}}'
    assert problems(text)[0].startswith("c.json:1:40: providers[0].api_base_url: should begin with http://")
    both = '{providers: [], Providers: [], Router: {default: "demo,demo"}}'
    assert "another spelling of Providers" in warnings(both)[0]


def test_transformers_of_a_provider() -> None:
    (found,) = settings(
        provider(
            PROVIDER + ', transformer: {use: ["a", ["b"], ["c", {x: 1}]], m: {use: ["d"]}, "org/n": null}'
        )
    ).providers
    assert [(use.name, use.options, use.where) for use in found.use] == [
        ("a", {}, "Providers[0].transformer.use[0]"),
        ("b", {}, "Providers[0].transformer.use[1]"),
        ("c", {"x": 1}, "Providers[0].transformer.use[2]"),
    ]
    assert [use.name for use in found.model_use["m"]] == ["d"]


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


def test_equal_text_equal_revision() -> None:
    assert loaded(keys("")).revision == revision_of(keys("")) != revision_of(keys(" "))


def test_custom_routers_see_the_expanded_file_without_secrets() -> None:
    raw = settings(keys('mine: "$X", my_token: "t"'), {"X": "x"}).raw
    assert (raw["mine"], raw["my_token"]) == ("x", "***")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("{PORT: 0, %s}", "c.json:1:8: PORT: should be at least 1 and at most 65535, is 0"),
        ("{PORT: 70000, %s}", "c.json:1:8: PORT: should be at least 1 and at most 65535, is 70000"),
        ("{PORT: 'http', %s}", "c.json:1:8: PORT: should be a whole number, is a text"),
        ("{PORT: true, %s}", "c.json:1:8: PORT: should be a whole number, is true"),
        ("{PORT: 1.5, %s}", "c.json:1:8: PORT: should be a whole number, is a number"),
        ("{LOG: 'maybe', %s}", "c.json:1:7: LOG: should be true or false, is a text"),
        ("{LOG_LEVEL: 'inform', %s}", "did you mean info?"),
        ("{HOST: '0.0.0.0', %s}", "c.json:1:8: HOST: HOST 0.0.0.0 is reachable from other machines, but there is no APIKEY"),
        ("{HOST: '', %s}", "HOST is empty"),
        ("{APIKEY: 'clé', %s}", "APIKEY has characters that no header can carry"),
        ("{APIKEY: 5, %s}", "should be a text, is a number (put it in quotes)"),
        ("{APIKEY: '$GONE', %s}", "c.json:1:10: APIKEY: the variable GONE is not set"),
        ("{APIKEY: '${file:/gone/key}', %s}", "the file /gone/key cannot be read: No such file"),
        ("{PROXY_URL: 'proxy:80', %s}", "PROXY_URL: should begin with http://"),
        ("{PROXY_URL: 'http://[bad', %s}", "PROXY_URL: is not a URL"),
        ("{CUSTOM_ROUTER_PATH: '~/r.js', %s}", "docs/how-to/port-a-custom-router.md"),
        ("{transformers: [{path: '/x/gemini-cli.js'}], %s}", "is built in as 'gemini-cli'"),
        ("{transformers: [{path: '/x/qwen-cli.js'}], %s}", "is built in as 'qwen-cli'"),
        ("{transformers: [{path: '/x/rovo-cli.js'}], %s}", "is built in as 'rovo-cli'"),
        ("{transformers: [{path: '/x/own.js'}], %s}", "docs/how-to/port-a-custom-router.md"),
        ("{transformers: [{}], %s}", "transformers[0]: path is missing"),
        ("{Providers: {}, %s}", "c.json:1:13: Providers: should be a list [ ], is an object"),
        ("{Providers: ['x'], %s}", "Providers[0]: should be an object { }, is a text"),
        ("{Providers: [{}], %s}", "c.json:1:14: Providers[0]: name is missing"),
        ("{Providers: [{}], %s}", "api_base_url is missing (the full endpoint"),
        ("{Providers: [{name: 'a,b', api_base_url: 'http://h'}], %s}", "a comma cannot stand in a provider's name"),
        ("{Providers: [{name: ' ', api_base_url: 'http://h'}], %s}", "a provider needs a name"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h'}, {name: 'A', api_base_url: 'http://h'}], %s}",
         "Providers[1].name: the name 'A' is already used by Providers[0]"),
        ("{Providers: [{name: 'a', api_base_url: 'h/v1'}], %s}", "api_base_url: should begin with http:// or https://"),
        ("{Providers: [{name: 'a', api_base_url: 'http://'}], %s}", "api_base_url: is not a URL with a host"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h:99999'}], %s}", "api_base_url: is not a URL"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', models: 'm'}], %s}", "should be a list of texts, is a text"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', models: [1]}], %s}", "models[0]: should be a text, is a number"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', api_key: 'k\\n'}], %s}", ""),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', api_key: 'a b\\u0001'}], %s}", "characters that no header"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', headers: {'a b': 'c'}}], %s}", "is not a header"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', headers: {a: 1}}], %s}", "headers.a: should be a text"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {use: 'x'}}], %s}", "transformer.use: should be"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {use: [1]}}], %s}", "transformer.use[0]: should be"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {use: [['x', 1]]}}], %s}", "use[0]: should be"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {m: {use: [[]]}}}], %s}", "transformer.m.use[0]"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {m: ['x']}}], %s}", ""),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: {m: 'x'}}], %s}", "transformer.m: should be"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', transformer: ['x']}], %s}", "transformer: should be an object"),
        ("{Providers: [{name: 'a', api_base_url: 'http://h', modelLimits: {m: {contextWindow: 0}}}], %s}",
         "modelLimits.m.contextWindow: should be at least 1, is 0"),
        ("{fallback: {default: 'nope,x'}, %s}", "there is no provider 'nope'"),
        ("{fallback: ['nope,x'], %s}", "fallback: should be an object"),
        ("{fallback: {default: [1]}, %s}", "fallback.default[0]: should be a text"),
        ("{Timeouts: {idleMs: -1}, %s}", "c.json:1:21: Timeouts.idleMs: should be at least 0, is -1"),
        ("{Limits: {maxBodyBytes: 1}, %s}", "Limits.maxBodyBytes: should be at least 1024"),
        ("{Admin: {hosts: 5}, %s}", "Admin.hosts: should be a list of texts, is a number"),
        ("{plugins: [{}], %s}", "plugins[0]: name is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text: str, expected: str) -> None:
    text = text.replace("%s", ROUTE)
    if not expected:
        assert loaded(text).settings.providers[0].name == "a"
        return
    assert [problem for problem in problems(text) if expected in problem], problems(text)


@pytest.mark.parametrize(
    "target, expected",
    [
        ("q,m", "there is no provider 'q'"),
        ("pp,m", "did you mean p?"),
        ("p,mm", "p has no model 'mm' in its models (did you mean m?)"),
        ("p,other", "it offers: m, org/n"),
        ("m", "'m' is not provider,model (write \"p,m\")"),
        ("p,", "is not provider,model"),
        ("zzz", "is not provider,model"),
        ("demo,other", "the built-in provider demo has no model 'other'"),
        ("$GONE", "the variable GONE is not set"),
    ],
)
def test_a_route_must_lead_somewhere(target: str, expected: str) -> None:
    text = provider(PROVIDER).replace('"p,m"', f'"p,m", think: "{target}"')
    assert any(expected in problem for problem in problems(text)), problems(text)
    assert problems(text)[0].split(": ")[1] == "Router.think"


@pytest.mark.parametrize("value", ["0", "-5", "'x'"])
def test_the_threshold_is_a_positive_number(value: str) -> None:
    assert (
        "Router.longContextThreshold: should be"
        in problems('{Router: {default: "demo,demo", longContextThreshold: ' + value + "}}")[0]
    )


def test_all_problems_at_once_in_their_order() -> None:
    found = problems('{\n PORT: "x",\n LOG: 5,\n Providers: [{name: 1}],\n Router: {default: 2}\n}')
    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4", "4", "5"]


def test_text_that_is_not_json5_is_told_with_every_fault() -> None:
    found = problems("{\n PORT: nope,\n HOST: 'x\n}")
    assert [problem.split(":")[1:3] for problem in found] == [["2", "8"], ["3", "8"]]
    assert problems("[]") == ["c.json:1:1: $: the configuration should be an object { }"]
    assert "the file is empty" in problems("")[0]


def test_an_unknown_key_warns_with_the_nearest_known_one() -> None:
    assert (
        warnings(keys("APIKEYS: 1"))[0]
        == "c.json:1:36: APIKEYS: unknown key 'APIKEYS' (did you mean APIKEY?)"
    )
    assert "did you mean api_base_url?" in warnings(provider(PROVIDER + ", api_baseurl: 1"))[0]
    assert "did you mean background?" in warnings('{Router: {default: "demo,demo", backgroud: "x"}}')[0]
    assert warnings(keys("qqqqqq: 1")) == ["c.json:1:36: qqqqqq: unknown key 'qqqqqq'"]


def test_an_unknown_key_is_an_error_when_strict() -> None:
    assert problems(keys("APIKEYS: 1"), strict=True) == [
        "c.json:1:36: APIKEYS: unknown key 'APIKEYS' (did you mean APIKEY?)"
    ]


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


def test_an_unset_variable_in_a_fallback_provider_is_an_error() -> None:
    text = """{Providers: [{name: "p", api_base_url: "https://h/", api_key: "x$GONE"}], Router: {default: "demo,demo"},
      fallback: {default: ["p,m"]}}"""
    assert len(problems(text)) == 1


def test_an_unset_variable_where_it_does_no_harm_warns() -> None:
    assert "the variable GONE is not set" in warnings(keys('StatusLine: {fontFamily: "$GONE"}'))[0]
    assert any("the variable GONE is not set" in w for w in warnings(keys('unknown: "$GONE"')))


def test_what_only_looks_like_a_reference_warns() -> None:
    assert "a literal dollar is $$" in warnings(keys('CLAUDE_PATH: "${x y}"'))[0]


def test_a_model_of_a_transformer_block_that_is_not_offered_warns() -> None:
    text = provider(PROVIDER + ', transformer: {"org/nn": {use: ["x"]}}')
    assert "p has no model 'org/nn' (did you mean org/n?)" in warnings(text)[0]


def test_an_unknown_scenario_of_a_fallback_warns() -> None:
    assert "did you mean think?" in warnings(keys('fallback: {thinking: ["demo,demo"]}'))[0]


def test_no_default_route_warns() -> None:
    assert "Router.default is not set" in warnings("{PORT: 3456, Providers: [], Router: {}}")[0]


def test_no_message_shows_a_secret() -> None:
    text = """{APIKEY: ["s3cret"], PROXY_URL: "s3cret://u:s3cret@h", Providers: [{name: "p", api_base_url: "s3cret",
      api_key: {a: "s3cret"}, headers: {"a b": "s3cret"}}], PORT: "$S3"}"""
    assert not [problem for problem in problems(text, {"S3": "s3cret"}) if "s3cret" in problem]


def test_others_turn_their_findings_into_problems_with_a_place() -> None:
    problem = locate(
        COMPLETE, file="c.json", where="Providers[2].transformer.use[0][1].max_tokens", message="too many"
    )
    assert str(problem) == "c.json:17:85: Providers[2].transformer.use[0][1].max_tokens: too many"
    unplaced = ConfigError([Problem("c.json", 0, 0, "Router.think", "no"), Problem("c.json", 3, 1, "x", "y")])
    assert [(found.line, found.column) for found in placed(COMPLETE, unplaced).problems] == [(24, 98), (3, 1)]


def test_the_router_of_a_project_replaces_the_global_one() -> None:
    base = settings(COMPLETE, COMPLETE_ENV)
    found = load_router(
        '{"Router": {"default": "ollama,qwen2.5-coder:latest"}}', file="p.json", environ={}, settings=base
    )
    assert found is not None
    assert (found[0].default, found[0].think, found[0].custom_router) == (
        "ollama,qwen2.5-coder:latest", "", base.router.custom_router,
    )  # fmt: skip
    assert found[1] == ()


def test_a_project_file_without_router_says_nothing() -> None:
    assert load_router('{"permissions": {}}', file="p.json", environ={}, settings=Settings()) is None


@pytest.mark.parametrize("router", ['{"default": "nope,x"}', '{"default": 5}', '"x"', '{"default": "$GONE"}'])
def test_a_wrong_router_of_a_project_is_told(router: str) -> None:
    with pytest.raises(ConfigError):
        load_router(f'{{"Router": {router}}}', file="p.json", environ={}, settings=Settings())
