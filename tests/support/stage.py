"""A scripted upstream behind a real gateway: what the client and SDK suites play on."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define

from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_chats import FakeMoonshot
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider
from tests.support.gateway_process import GatewayProcess, provider_entry
from tests.support.scripts import Failure, Script, Seen, text

KINDS = ("openai", "anthropic")
PROVIDER = "up"
KIMIS = ("kimi-k2.5",)
MODELS = ("m-main", "m-small", "m-think", "m-agent", "m-other")
ROUTER: dict[str, Any] = {
    "default": f"{PROVIDER},m-main",
    "background": f"{PROVIDER},m-small",
    "think": f"{PROVIDER},m-think",
}
UPSTREAM_KEY = "sk-of-the-provider"


def upstream_of(kind: str, script: Script) -> FakeProvider:
    """A strict upstream of that dialect that knows MODELS and nothing else."""
    if kind == "openai":
        return FakeOpenAI(script, key=UPSTREAM_KEY, models=MODELS)
    if kind == "moonshot":
        return FakeMoonshot(script, key=UPSTREAM_KEY, max_tokens=262_144, models=KIMIS)
    return FakeAnthropic(script, key=UPSTREAM_KEY, models=MODELS)


@define
class Stage:
    """One upstream and the gateway before it. `CCR_TEST_DIRECT=1` takes the gateway out, to learn whose
    fault a failure is (Anthropic upstream only).
    """

    kind: str
    upstream: FakeProvider
    gateway: GatewayProcess | None

    @property
    def base_url(self) -> str:
        return self.upstream.origin if self.gateway is None else self.gateway.base_url

    def play(self, script: Script) -> None:
        """Begin a scene: a new script, nothing seen yet."""
        self.upstream.restart(script)

    @property
    def seen(self) -> list[Seen]:
        return self.upstream.seen

    @property
    def models(self) -> list[str]:
        """The model of every accepted request, in order."""
        return [seen.model for seen in self.seen]

    def evidence(self) -> str:
        """What to print when a scene went wrong."""
        lines = [
            f"{r.method} {r.path} -> {r.status} finished={r.finished} left={r.disconnected} {r.rejected}"
            for r in self.upstream.requests
        ]
        output = "" if self.gateway is None else self.gateway.output[-3000:]
        return "\n".join(["upstream saw:", *lines, "gateway said:", output])


@contextmanager
def open_stage(
    kind: str,
    home: Path,
    *,
    script: Script | None = None,
    router: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Stage]:
    """Open an upstream of `kind` and a gateway that routes to it; `router` is merged over ROUTER."""
    with upstream_of(kind, script or (lambda _seen, _n: text("nothing was scripted"))) as upstream:
        if os.environ.get("CCR_TEST_DIRECT"):
            upstream.key, upstream.models = "", ()
            yield Stage(kind, upstream, None)
            return
        settings = {
            "Providers": [provider_entry(PROVIDER, upstream, MODELS)],
            "Router": {**ROUTER, **(router or {})},
            **(_kimi(upstream) if kind == "moonshot" else {}),
            **(config or {}),
        }
        with GatewayProcess(home, settings, environment=environment) as gateway:
            yield Stage(kind, upstream, gateway)


def _kimi(upstream: FakeProvider) -> dict[str, Any]:
    """Moonshot is known by its name, wherever it stands."""
    providers = [provider_entry("moonshot", upstream, KIMIS)]
    return {"Providers": providers, "Router": {"default": f"moonshot,{KIMIS[0]}"}}


def overflow(kind: str) -> Failure:
    """The context overflow of a real provider of that dialect, in its own words."""
    if kind == "anthropic":
        return Failure(400, "prompt is too long: 250000 tokens > 200000 maximum")
    message = (
        "This model's maximum context length is 128000 tokens. However, your messages resulted in 250000 tokens."
        " Please reduce the length of the messages."
    )
    error = {
        "message": message,
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    return Failure(400, body={"error": error})
