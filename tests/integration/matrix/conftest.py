"""One gateway before four strict upstreams, one for each provider dialect."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from attrs import define

from tests.integration.matrix.drivers import DRIVERS, Driver, Options
from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_gemini import FakeGemini
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider
from tests.support.fake_responses import FakeResponses
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.scripts import Script, text


class ChatThatThinks(FakeOpenAI):
    """Wants its reasoning back, as DeepSeek does; OpenAI's own models never show any."""

    reasoning_echo = True


PROVIDERS: dict[str, type[FakeProvider]] = {
    "anthropic": FakeAnthropic,
    "openai_chat": ChatThatThinks,
    "openai_responses": FakeResponses,
    "gemini": FakeGemini,
}
MODELS = dict.fromkeys(PROVIDERS, "m") | {"gemini": "gemini-3-pro-preview"}
"""Gemini's models are asked to think by their name; the others' profiles hold for any."""
_MORE: dict[str, dict[str, Any]] = {"gemini": {"transformer": {"use": ["gemini"]}}}


PASSED: pytest.StashKey[bool] = pytest.StashKey()
_LAST = "test_the_page_is_what_came_out"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let fixtures know how a test ended."""
    report = yield
    if report.when == "call":
        item.stash[PASSED] = report.passed
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What looks at all the scenes comes after them, whatever the order."""
    items.sort(key=lambda item: item.name == _LAST)


@define
class Ground:
    """The gateway and its upstreams by dialect."""

    gateway: GatewayProcess
    upstreams: dict[str, FakeProvider]

    def open(self, client: str, provider: str, options: Options) -> Driver:
        """A session of a client with the model of a provider."""
        return DRIVERS[client](self.gateway.base_url, f"{provider},{MODELS[provider]}", options)

    def play(self, provider: str, script: Script) -> FakeProvider:
        """Begin a scene."""
        upstream = self.upstreams[provider]
        upstream.restart(script)
        return upstream


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with ExitStack() as stack:
        upstreams = {
            name: stack.enter_context(
                kind(
                    lambda _seen, _n: text("nothing was scripted"),
                    key=f"sk-of-{name}",
                    models=(MODELS[name],),
                )
            )
            for name, kind in PROVIDERS.items()
        }
        config = {
            "LOG": False,
            "Providers": [
                provider_entry(name, upstream, (MODELS[name],), **_MORE.get(name, {}))
                for name, upstream in upstreams.items()
            ],
            "Router": {"default": "anthropic,m"},
        }
        home = tmp_path_factory.mktemp("matrix")
        yield Ground(stack.enter_context(GatewayProcess(home, config)), upstreams)
