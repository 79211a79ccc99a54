"""Every key that is in effect, and what it becomes."""

from __future__ import annotations

import pytest

from ccr.application.settings import RouterSettings, Settings
from ccr.application.settings.providers import ModelOverride, TransformerFile
from ccr.domain.secret import Secret
from tests.support.configs import PROVIDER, ROUTE, keys, problems, provider, settings, warnings


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


def test_service_port_wins() -> None:
    found = settings(keys("PORT: 4000"), {"SERVICE_PORT": "5000"})
    assert (found.server.port, found.origins["PORT"]) == (5000, "env:SERVICE_PORT")
    assert "SERVICE_PORT" in problems(keys("PORT: 4000"), {"SERVICE_PORT": "http"})[0]


def test_logging_keys() -> None:
    assert settings(keys("LOG: false")).logging.enabled is False
    assert settings(keys("log: true")).logging.enabled is True
    assert settings(keys('LOG_LEVEL: "warn"')).logging.level == "warn"
    text = keys('Logging: {enabled: false, level: "debug", logDirectory: "~/logs"}')
    found = settings(text, {"HOME": "/h"}).logging
    assert (found.enabled, found.level, found.directory) == (False, "debug", "/h/logs")
    assert settings(keys('LOG_LEVEL: "error", Logging: {level: "debug"}')).logging.level == "error"


def test_timeouts() -> None:
    text = "Timeouts: {connectMs: 1, firstByteMs: 2000, idleMs: 0, totalMs: 4000, commitAfterMs: 50, keepAliveMs: 60, drainMs: 70, drainWaitMs: 80}"
    found = settings(keys(text))
    assert (found.timeouts.connect, found.timeouts.first_byte, found.timeouts.idle) == (0.001, 2.0, None)
    assert (found.timeouts.total, found.timeouts.commit_after, found.timeouts.keep_alive) == (4.0, 0.05, 0.06)
    assert (found.server.drain_timeout, found.server.drain_wait) == (0.07, 0.08)


@pytest.mark.parametrize(
    "host, seconds",
    [("127.0.0.1", 0.0), ("localhost", 0.0), ("::1", 0.0), ("0.0.0.0", 5.0), ("10.1.2.3", 5.0)],
)
def test_load_balancers_get_their_time_where_others_are_let_in(host: str, seconds: float) -> None:
    found = settings(keys(f'HOST: "{host}", APIKEY: "k"'))
    told = settings(keys(f'HOST: "{host}", APIKEY: "k", Timeouts: {{drainWaitMs: 70}}'))

    assert (found.server.drain_wait, told.server.drain_wait) == (seconds, 0.07)


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


def test_paths_of_the_user() -> None:
    found = settings(
        keys('CUSTOM_ROUTER_PATH: "~/r.py", REWRITE_SYSTEM_PROMPT: "$HOME/p.md"'), {"HOME": "/h"}
    )
    assert (found.router.custom_router, found.rewrite_system_prompt) == ("/h/r.py", "/h/p.md")


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


def test_provider_keys() -> None:
    (found,) = settings(provider(
        PROVIDER + ', dialect: "openai_chat", headers: {"X-Title": "t"}, modelLimits: {m: {contextWindow: 1000, maxOutput: 10}}'
    )).providers  # fmt: skip
    assert (found.name, found.url, found.models) == ("p", "https://h/v1/chat/completions", ("m", "org/n"))
    assert (found.api_keys, found.dialect, found.headers) == ((Secret("k"),), "openai_chat", {"X-Title": "t"})
    assert (found.overrides, found.where) == ({"m": ModelOverride(1000, 10)}, "Providers[0]")


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


def test_transformers_of_ones_own() -> None:
    found = settings(
        keys('transformers: [{path: "~/t.py", options: {a: 1}}, {path: "/u.py"}]'), {"HOME": "/home/me"}
    )

    assert found.transformers == (
        TransformerFile("/home/me/t.py", {"a": 1}, "transformers[0]"),
        TransformerFile("/u.py", {}, "transformers[1]"),
    )


def test_the_time_of_a_plugin() -> None:
    assert settings(keys("")).timeouts.plugin == 0.05
    assert settings(keys("Timeouts: {pluginMs: 0}")).timeouts.plugin is None


BARE = 'name: "p", api_base_url: "https://h/v1/chat/completions", models: ["m"], '
SEVERAL = '["demo,demo", {target: "p,m", weight: 3}]'


@pytest.mark.parametrize(
    "route, targets, strategy",
    [
        ('["demo,demo", "p,m"]', {"demo,demo": 1.0, "p,m": 1.0}, "order"),
        (SEVERAL, {"demo,demo": 1.0, "p,m": 3.0}, "weighted"),
        (f'{{targets: {SEVERAL}, strategy: "latency"}}', {"demo,demo": 1.0, "p,m": 3.0}, "latency"),
        (
            '{targets: ["demo,demo", "p,m"], strategy: "leastInFlight"}',
            {"demo,demo": 1.0, "p,m": 1.0},
            "leastInFlight",
        ),
        ('{targets: ["demo,demo", "", null, "p,m"]}', {"demo,demo": 1.0, "p,m": 1.0}, "order"),
    ],
)
def test_a_route_may_have_several_targets(route: str, targets: dict[str, float], strategy: str) -> None:
    router = settings("{Providers: [{" + PROVIDER + "}], Router: {default: " + route + "}}").router
    group = router.groups["default"]

    assert router.default == "demo,demo"
    assert dict(zip(group.targets, group.weights, strict=True)) == targets
    assert group.strategy == strategy


@pytest.mark.parametrize(
    "route", ['"p,m"', '["p,m"]', '{target: "p,m", weight: 2}', '{targets: [{target: "p,m"}]}']
)
def test_a_single_target_is_a_single_target_however_it_is_written(route: str) -> None:
    router = settings("{Providers: [{" + PROVIDER + "}], Router: {default: " + route + "}}").router

    assert (router.default, router.groups) == ("p,m", {})


def test_agents_and_models_may_have_several_targets_too() -> None:
    text = 'Router: {default: "demo,demo", agents: {Explore: ["p,m", "demo,demo"]}, models: {opus: ["p,m", "demo,demo"]}}'
    router = settings("{Providers: [{" + PROVIDER + "}], " + text + "}").router

    assert (router.agents, router.models) == ({"Explore": "p,m"}, {"opus": "p,m"})
    assert sorted(router.groups) == ["agents.explore", "models.opus"]


@pytest.mark.parametrize(
    "route, expected",
    [
        ('["demo,demo", 3]', "Router.default[1]: should be"),
        ('["demo,demo", {target: "p,m", weight: 0}]', "Router.default[1].weight: should be a number above 0"),
        ('["demo,demo", {target: "p,m", weight: true}]', "Router.default[1].weight"),
        ('["demo,demo", {target: "p,m", wait: 1}]', "Router.default[1]: should be"),
        (
            '{targets: ["demo,demo", "p,m"], strategy: "best"}',
            "Router.default.strategy: should be one of order",
        ),
        ('{targets: ["demo,demo", "p,m"], wait: 1}', "Router.default.wait: is not known here"),
        ("{}", 'Router.default: should be "provider,model"'),
        ("7", 'Router.default: should be "provider,model"'),
        ('["demo,demo", "nobody,m"]', "Router.default[1]: there is no provider 'nobody'"),
        (
            '{targets: ["demo,demo", {target: "nobody,m"}]}',
            "Router.default.targets[1].target: there is no provider",
        ),
    ],
)
def test_a_route_that_makes_no_sense_is_said_where_it_stands(route: str, expected: str) -> None:
    found = problems("{Providers: [{" + PROVIDER + "}], Router: {default: " + route + "}}")

    assert expected in "\n".join(found)


def test_a_provider_may_have_several_keys_and_a_limit() -> None:
    found = settings(
        provider(BARE + 'api_key: ["sk-1", {key: "$TWO", weight: 2.5}, ""], maxInFlight: 4'), {"TWO": "sk-2"}
    )
    first = found.providers[0]

    assert [key.reveal() for key in first.api_keys] == ["sk-1", "sk-2"]
    assert (first.key_weights, first.max_in_flight) == ((1.0, 2.5), 4)


@pytest.mark.parametrize(
    "keys_of_it, expected",
    [
        ("[{weight: 2}]", "api_key[0]: should be a text or"),
        ('[{key: "a", wait: 2}]', "api_key[0]: should be a text or"),
        ('[{key: "a", weight: -1}]', "api_key[0].weight: should be a number above 0"),
        ("[3]", "api_key[0]: should be a text"),
    ],
)
def test_a_key_that_makes_no_sense_is_said_where_it_stands(keys_of_it: str, expected: str) -> None:
    assert expected in problems(provider(BARE + f"api_key: {keys_of_it}"))[0]


def test_the_same_key_twice_is_warned_of() -> None:
    assert any(
        "the same key twice" in line for line in warnings(provider(BARE + 'api_key: ["sk-1", "sk-1"]'))
    )


def test_what_happens_when_a_provider_fails() -> None:
    text = "Failover: {retries: 4, retryBudgetPercent: 50, maxWaitMs: 9000, breakerFailures: 7, breakerWindowMs: 2000, "
    found = settings(keys(text + "breakerRestMs: 500, affinityMs: 1000}")).failover

    assert (found.retry.retries, found.retry.longest, found.retry_share) == (4, 9.0, 0.5)
    assert found.breaker is not None
    assert (found.breaker.failures, found.breaker.window, found.breaker.rest) == (7, 2.0, 0.5)
    assert found.affinity == 1.0
    off = settings(keys("Failover: {affinity: false, breakerFailures: 0}")).failover
    assert (off.affinity, off.breaker) == (None, None)
    assert settings("{" + ROUTE + "}").failover == Settings().failover


def test_how_much_is_done_at_once() -> None:
    found = settings(keys("Limits: {maxInFlight: 7, queueMs: 10, providerQueueMs: 20, maxQueued: 3}")).limits

    assert (found.max_in_flight, found.queue, found.provider_queue, found.max_queued) == (7, 0.01, 0.02, 3)


def test_how_much_is_remembered() -> None:
    assert settings(keys("Limits: {memoMb: 2}")).limits.memo == 2 * 1024 * 1024
    assert Settings().limits.memo == 16 * 1024 * 1024
