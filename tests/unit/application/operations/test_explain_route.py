from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.wire import json
from ccr.application.call import Call
from ccr.application.catalog.holder import CatalogHolder
from ccr.application.counting import Counting
from ccr.application.flow.conditions import Snapshot
from ccr.application.operations.explain_route import ExplainRoute, to_lines
from ccr.application.tracker import Tracker
from ccr.domain.errors import NoSuchPathError, UnknownModelError
from ccr.domain.routing.balance import Group, Strategy
from ccr.domain.routing.decide import decide
from ccr.domain.routing.policy import Routes
from tests.support.assembly import assembled
from tests.support.failing import balancing
from tests.support.routing import DEEP, FAST, MAIN, FakeCounter, FakeParsed, call, catalog, facts, policy

pytestmark = pytest.mark.anyio

POLICY = policy(Routes(default=MAIN, background=FAST), fallbacks={"background": (DEEP,)})


class FakeDialect:
    """Takes the body for the model's name."""

    def read(self, asked: Call) -> FakeParsed:
        return FakeParsed(facts((asked.body or b"").decode()))


def explaining() -> ExplainRoute:
    holder = CatalogHolder()
    holder.swap(catalog(POLICY, clients={"anthropic": FakeDialect()}))
    return ExplainRoute(holder, Snapshot(Counting(FakeCounter())), Tracker(), balancing())


async def test_explains_a_request_that_nobody_sends() -> None:
    explained = await explaining()(call(b"claude-haiku-5"))
    assert (explained["target"], explained["scenario"], explained["requested"]) == (
        "Main,fast",
        "background",
        "claude-haiku-5",
    )
    verdicts = explained["verdicts"]
    assert isinstance(verdicts, list)
    assert {
        "rule": "custom",
        "matched": False,
        "because": "no custom router was asked",
        "target": None,
    } in verdicts


async def test_a_name_that_does_not_exist_fails_as_the_request_would() -> None:
    with pytest.raises(UnknownModelError, match="unknown provider 'no'"):
        await explaining()(call(b"no,where"))


async def test_looks_up_what_was_decided() -> None:
    explain = explaining()
    for name, model in (("r1", "claude-haiku-5"), ("r2", "claude-opus-5")):
        explain.tracker.remember(name, facts(model), decide(POLICY, facts(model)))
    assert [found["request_id"] for found in explain.recent(5)] == ["r2", "r1"]
    assert explain.remembered("r1")["scenario"] == "background"
    assert explain.remembered("last")["request_id"] == "r2"


async def test_a_decision_that_is_not_remembered_is_not_found() -> None:
    with pytest.raises(NoSuchPathError, match="no decision is remembered for 'r9'"):
        explaining().remembered("r9")
    with pytest.raises(NoSuchPathError):
        explaining().remembered("last")


async def test_a_person_reads_the_outcome_first_and_then_every_rule() -> None:
    lines = to_lines(await explaining()(call(b"claude-haiku-5")))
    assert lines[0] == "Main,fast  (background: 'claude-haiku-5' is a small model)"
    assert "  * background   'claude-haiku-5' is a small model -> Main,fast" in lines
    assert "    custom       no custom router was asked" in lines
    assert "  then Main,deep" in lines
    assert not [line for line in to_lines(await explaining()(call(b"opus"))) if "then" in line]


async def test_a_target_that_cannot_be_called_is_said_so() -> None:
    explained = await explaining()(call(b"claude-haiku-5"))

    assert to_lines(explained)[-1] == "  Main,deep: cannot be called: no model 'deep' at provider 'Main'"


PICTURE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aWk="}}
PROVIDERS = [
    {
        "name": "deepseek",
        "api_base_url": "http://blind.test/v1/chat/completions",
        "api_key": "k",
        "models": ["deepseek-chat"],
    },
    {
        "name": "claude",
        "api_base_url": "http://seeing.test/v1/messages",
        "api_key": "k",
        "models": ["m"],
        "transformer": {"use": ["Anthropic"]},
    },
]


@pytest.mark.parametrize("fidelity, said", [("best", None), ("exact", "passed over")])
async def test_what_each_target_would_lose_is_said(fidelity: str, said: str | None) -> None:
    router = {"default": "deepseek,deepseek-chat", "fidelity": fidelity}
    config = {"Providers": PROVIDERS, "Router": router, "fallback": {"default": ["claude,m"]}}
    body = {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": [PICTURE]}]}
    async with assembled(config=config) as bench:
        explained = await bench.made.container.console().explain_route(call(json.encode(body)))

    assert explained["fidelity"] == fidelity
    targets: Any = explained["targets"]
    blind, seeing = targets
    assert (blind["target"], blind["path"], blind["losses"]) == (
        "deepseek,deepseek-chat",
        "translate",
        ["image=as text"],
    )
    assert (blind["error"] or "").startswith(said or "")
    assert bool(blind["error"]) is bool(said)
    assert seeing == {"target": "claude,m", "path": "relay", "losses": [], "error": None}
    assert "loses image=as text" in "\n".join(to_lines(explained))


async def test_what_is_emulated_is_said_in_place_of_the_loss() -> None:
    router = {"default": "deepseek,deepseek-chat", "image": "claude,m"}
    config = {"Providers": PROVIDERS, "Router": router, "forceUseImageAgent": True}
    body = {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": [PICTURE]}]}
    async with assembled(config=config) as bench:
        explained = await bench.made.container.console().explain_route(call(json.encode(body)))
        asked = bench.upstream.requests

    targets: Any = explained["targets"]
    assert targets[0]["losses"] == ["image=described"]
    assert asked == [], "nobody is asked to describe it"


async def test_a_route_with_several_targets_names_them() -> None:
    group = Group((MAIN, DEEP), Strategy.WEIGHTED, {MAIN: 3.0})
    routes = Routes(default=MAIN, groups={"default": group})
    holder = CatalogHolder()
    holder.swap(catalog(policy(routes), clients={"anthropic": FakeDialect()}))
    explain = ExplainRoute(holder, Snapshot(Counting(FakeCounter())), Tracker(), balancing())

    explained = await explain(call(b"claude-opus-5"))

    assert explained["group"] == {
        "strategy": "weighted",
        "targets": [{"target": str(MAIN), "weight": 3.0}, {"target": str(DEEP), "weight": 1.0}],
    }
    assert f"  weighted of {MAIN} (3), {DEEP} (1)" in to_lines(explained)
