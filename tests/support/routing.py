"""Policies, requests and counters for tests about routing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from attrs import define, field

from ccr.application.call import Call, Disconnect
from ccr.application.catalog.holder import Catalog
from ccr.application.catalog.targets import Target
from ccr.application.ports.tokens import TokenRange
from ccr.application.settings import RouterSettings, Settings
from ccr.domain.access import LOCAL
from ccr.domain.conversation import Conversation, Role, Text, Turn
from ccr.domain.facts import Operation, RequestFacts, SessionKey
from ccr.domain.models import Destination, ModelProfile, ModelRef
from ccr.domain.routing.policy import KnownProvider, RoutePolicy, Routes, Window

BIG = ModelRef("big", "Long-1")
"""A million tokens."""
SMALL = ModelRef("local", "tiny")
"""8000 tokens, of which 1000 for the answer."""
MAIN = ModelRef("Main", "gpt")
"""Nothing is known of its window."""
FAST = ModelRef("Main", "fast")
DEEP = ModelRef("Main", "deep")


def provider(name: str, *models: str, is_open: bool = False, **windows: Window) -> KnownProvider:
    return KnownProvider(
        name=name,
        models={model.lower(): model for model in models} | {model: model for model in models},
        is_open=is_open,
        windows={model.lower(): windows[model] for model in windows},
    )


PROVIDERS = {
    "main": provider("Main", "gpt", "fast", "deep", "eyes", "search"),
    "local": provider("local", "tiny", tiny=Window(8_000, 1_000)),
    "big": KnownProvider(
        "big", {"long-1": "Long-1", "Long-1": "Long-1"}, windows={"long-1": Window(1_000_000)}
    ),
    "open": provider("open", is_open=True),
}


def policy(routes: Routes | None = None, **changes: Any) -> RoutePolicy:
    given: dict[str, Any] = {"providers": PROVIDERS, "smallest_window": 8_000} | changes
    return RoutePolicy(table=routes if routes is not None else Routes(default=MAIN), **given)


def facts(model: str = "claude-sonnet-5-5", **changes: Any) -> RequestFacts:
    known = {"operation": Operation.GENERATE, "dialect": "anthropic", "model": model}
    return RequestFacts(**{**known, **changes})


@define
class FakeParsed:
    """A request that was parsed already."""

    facts: RequestFacts
    user: str = "hello"
    foreign: bool = False
    plain: bool = True
    echo: object = None

    def conversation(self) -> Conversation:
        turns = (Turn(Role.USER, (Text(self.user),)), Turn(Role.ASSISTANT, (Text("well"),)))
        return Conversation(self.facts.model, turns)

    def retarget(self, model: str) -> bytes:
        return model.encode()


@define
class FakeCounter:
    """Counts as told; bounds by a tenth and the whole of the size."""

    tokens: int = 0
    error: Exception | None = None
    asked: int = 0

    def estimate(self, size: int) -> TokenRange:
        return TokenRange(size // 10, size)

    async def count_each(self, groups: Sequence[Sequence[bytes]]) -> list[int]:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return [self.tokens, *(0 for _ in groups[1:])]


@define
class FakeRouter:
    """A custom router that answers as told."""

    answer: str | None = None
    error: Exception | None = None
    asked: int = 0
    config: Mapping[str, object] = field(factory=dict)

    async def route(self, call: Call, parsed: object, config: Mapping[str, object]) -> str | None:
        self.asked += 1
        self.config = config
        if self.error is not None:
            raise self.error
        return self.answer


def call(body: bytes = b"{}", **headers: str) -> Call:
    async def load() -> bytes:
        return body

    return Call(
        operation=Operation.GENERATE,
        dialect="anthropic",
        path="/v1/messages",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
        principal=LOCAL,
        request_id="req_1",
        load=load,
        disconnect=Disconnect(),
        received=0.0,
        body=body,
    )


def target(ref: ModelRef, window: int | None = None, max_output: int | None = None) -> Target:
    profile = ModelProfile(context_window=window, max_output=max_output)
    nothing = cast("Any", None)
    return Target(
        ref=ref,
        destination=Destination(ref, profile, "anthropic"),
        endpoint=nothing,
        dialect=nothing,
        hosting=nothing,
        credential=nothing,
        pipeline=nothing,
    )


def catalog(
    used: RoutePolicy, router: FakeRouter | None = None, *, timeout: float = 1.0, clients: Any = None
) -> Catalog:
    settings = Settings(router=RouterSettings(custom_timeout=timeout), raw={"PORT": 3456})
    return Catalog(
        revision="r1",
        settings=settings,
        policy=used,
        targets={},
        clients=clients or {},
        custom_router=router,
    )


def session(name: str) -> SessionKey:
    return SessionKey(session=name)
