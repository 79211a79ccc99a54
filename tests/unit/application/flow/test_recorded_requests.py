"""Requests of the real client go where its user would want them to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic.read_request import AnthropicCall, read_call
from ccr.application.counting import Counting
from ccr.application.flow.conditions import Snapshot
from ccr.domain.routing.decide import decide
from ccr.domain.routing.policy import RoutePolicy, Routes
from tests.support.routing import BIG, DEEP, FAST, MAIN, SMALL, FakeCounter, call, catalog, policy

pytestmark = pytest.mark.anyio

FIXTURES = Path(__file__).parents[3] / "fixtures" / "claude-code"

EXPECTED = {
    "bash.1.0.128": ["default", "background", "default"],
    "bash.2.1.330": ["default", "default"],
    "cont.2.1.330": ["default", "default", "default"],
    "plan_mode.2.1.330": ["think"],
    "task.2.1.330": ["default", "subagent", "subagent", "default"],
    "think_tool.1.0.128": ["think", "background", "think"],
    "toolsearch_mcp.2.1.330": ["default", "default", "default"],
}

FULL = policy(
    Routes(default=MAIN, background=FAST, think=DEEP, long_context=BIG, subagent=MAIN, web_search=SMALL)
)


def read(request: dict[str, Any]) -> AnthropicCall:
    asked = call(json.dumps(request["body"]).encode())
    asked.headers = {name.lower(): value for name, value in request["headers"]}
    return read_call(asked)


async def scenario(request: dict[str, Any], used: RoutePolicy, tokens: int = 20_000) -> str:
    snapshot = Snapshot(Counting(FakeCounter(tokens)))
    parsed = read(request)
    return decide(used, parsed.facts, await snapshot(call(), parsed, catalog(used))).scenario


def requests(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FIXTURES / f"{name}.json").read_text())["requests"]
    return found


@pytest.mark.parametrize("name", EXPECTED)
async def test_a_recorded_session_is_routed(name: str) -> None:
    assert [await scenario(request, FULL) for request in requests(name)] == EXPECTED[name]


async def test_every_recorded_session_has_an_expectation() -> None:
    assert {path.stem for path in FIXTURES.glob("*.json")} == set(EXPECTED)


async def test_the_answer_that_the_client_asks_for_does_not_fill_the_window() -> None:
    """Today's client always asks for 128000 tokens; a model of 128000 must still be usable."""
    used = policy(FULL.table, smallest_window=None)
    request = requests("bash.2.1.330")[0]
    assert request["body"]["max_tokens"] == 128_000
    assert await scenario(request, used) == "default"


async def test_a_long_session_is_long() -> None:
    assert await scenario(requests("bash.1.0.128")[0], FULL, tokens=60_001) == "longContext"
