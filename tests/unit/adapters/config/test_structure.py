"""What is wrong with a value, told with its place."""

from __future__ import annotations

import pytest

from ccr.application.settings import RouterSettings
from ccr.domain.secret import Secret
from tests.support.configs import ROUTE, keys, loaded, problems, provider, settings, warnings


def test_numbers_and_booleans_may_come_from_variables() -> None:
    found = settings(keys('PORT: "$P", LOG: "$L", API_TIMEOUT_MS: "${T:-5000}"'), {"P": "4000", "L": "false"})
    assert (found.server.port, found.logging.enabled, found.timeouts.api) == (4000, False, 5.0)
    assert found.client.api_timeout_ms == 5000


def test_status_line_keys() -> None:
    text = """StatusLine: {enabled: true, currentStyle: "powerline", fontFamily: "x", powerline: {modules: [
      {type: "usage", icon: "a", text: "{{inputTokens}}", color: "red", background: "bright_blue"}]}}"""
    assert warnings(keys(text)) == []
    assert "one of workDir" in problems(keys('StatusLine: {default: {modules: [{type: "x"}]}}'))[0]
    script = '{type: "script", scriptPath: "x.py", options: {a: 1}}'
    assert warnings(keys("StatusLine: {default: {modules: [" + script + "]}}")) == []


def test_empty_and_null_mean_not_set() -> None:
    text = '{Providers: null, PORT: null, Router: {default: "demo,demo", think: "", image: null}}'
    assert settings(text).router == RouterSettings(default="demo,demo")


def test_a_provider_may_have_several_keys() -> None:
    text = provider('name: "p", api_base_url: "https://h/", api_key: ["$A", "b", ""], models: ["m"]')
    assert settings(text, {"A": "a"}).providers[0].api_keys == (Secret("a"), Secret("b"))


def test_all_problems_at_once_in_their_order() -> None:
    found = problems('{\n PORT: "x",\n LOG: 5,\n Providers: [{name: 1}],\n Router: {default: 2}\n}')
    assert [problem.split(":")[1] for problem in found] == ["2", "3", "4", "4", "5"]


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
        ("{transformers: [{path: '/x/own.js'}], %s}", "docs/how-to/port-a-transformer.md"),
        ("{transformers: [{path: '/x/own.ts'}], %s}", "docs/how-to/port-a-transformer.md"),
        ("{transformers: [{path: '/x/t.py', options: {a: '${NOT_SET}'}}], %s}", "NOT_SET"),
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


def test_no_message_shows_a_secret() -> None:
    text = """{APIKEY: ["s3cret"], PROXY_URL: "s3cret://u:s3cret@h", Providers: [{name: "p", api_base_url: "s3cret",
      api_key: {a: "s3cret"}, headers: {"a b": "s3cret"}}], PORT: "$S3"}"""
    assert not [problem for problem in problems(text, {"S3": "s3cret"}) if "s3cret" in problem]
