"""Every rule by itself: what it takes, what it says when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from attrs import evolve, field, frozen

from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.errors import UnknownModelError
from ccr.domain.facts import RequestClass, RequestFacts
from ccr.domain.models import ModelRef
from ccr.domain.routing.conditions import Conditions
from ccr.domain.routing.decision import Verdict
from ccr.domain.routing.glob import Glob
from ccr.domain.routing.policy import Routes, Window
from ccr.domain.routing.rules import EXPLICIT_FIRST, View, fits
from tests.support.routing import BIG, DEEP, FAST, MAIN, SMALL, facts, policy, provider

EYES, SEARCH = ModelRef("Main", "eyes"), ModelRef("Main", "search")
ALL = Routes(
    default=MAIN, background=FAST, think=DEEP, long_context=BIG, threshold=1_000, web_search=SEARCH, image=EYES,
    compaction=FAST, subagent=SMALL, agents={"explore": FAST}, models=((Glob.of("opus"), DEEP),),
)  # fmt: skip
RULES = {rule.name: rule for rule in EXPLICIT_FIRST}


def ask(
    rule: str, given: RequestFacts, conditions: Conditions | None = None, routes: Routes = ALL
) -> Verdict:
    return RULES[rule].ask(View(policy(routes), routes, given, conditions or Conditions()))


@frozen
class Case:
    rule: str
    target: ModelRef | None
    model: str = "claude-sonnet-5-5"
    because: str = ""
    facts: Mapping[str, Any] = field(factory=dict)
    conditions: Conditions = Conditions()
    routes: Routes = ALL


CASES = [
    Case("explicit", MAIN, model="main,gpt", because="Main,gpt was asked for"),
    Case("explicit", None, because="the name does not name a provider"),
    Case("custom", None, because="no custom router was asked"),
    Case("custom", None, because="no opinion", conditions=Conditions(custom_asked=True)),
    Case("custom", DEEP, conditions=Conditions(custom_asked=True, custom_answer="main,deep")),
    Case("custom", None, because="'no,where' is no target", conditions=Conditions(custom_asked=True, custom_answer="no,where")),
    Case("custom", None, because="failed: boom", conditions=Conditions(custom_asked=True, custom_error="boom")),
    Case("subagentTag", None, because="no subagent tag"),
    Case("subagentTag", DEEP, facts={"subagent_tag": "  MAIN,deep "}),
    Case("subagentTag", None, because="the tag 'haiku' is no target", facts={"subagent_tag": "haiku"}),
    Case("longContext", BIG, because="1001 input tokens are over 1000", conditions=Conditions(low=1_001, high=1_001, counted=True)),
    Case("longContext", BIG, because="2000 to 9000 input", conditions=Conditions(low=2_000, high=9_000)),
    Case("longContext", None, because="not over 1000", conditions=Conditions(low=1_000, high=1_000, counted=True)),
    Case("longContext", None, because="could not be counted (boom): 10 to 2000", conditions=Conditions(low=10, high=2_000, tokens_error="boom")),
    Case("auxiliary", FAST, facts={"request_class": RequestClass.AUXILIARY}),
    Case("auxiliary", None, because="does not call it auxiliary", facts={"request_class": RequestClass.MAIN}),
    Case("compaction", FAST, facts={"request_class": RequestClass.COMPACTION}),
    Case("compaction", FAST, facts={"compaction": "auto"}),
    Case("compaction", None, because="does not compact"),
    Case("agent", FAST, because="agent 'Explore'", facts={"agent_type": "Explore"}),
    Case("agent", None, because="no route for agent 'Plan'", facts={"agent_type": "Plan"}),
    Case("agent", None, because="no agent type"),
    Case("subagent", SMALL, facts={"is_subagent": True}),
    Case("subagent", SMALL, facts={"request_class": RequestClass.WORKFLOW}),
    Case("subagent", None, because="no subagent asks"),
    Case("background", FAST, model="claude-haiku-5-5"),
    Case("background", FAST, model="Claude-3-5-HAIKU-20241022"),
    Case("background", None, model="haiku-claude", because="no claude*haiku*"),
    Case("webSearch", SEARCH, facts={"tool_kinds": ("web_search_20250305",)}),
    Case("webSearch", None, facts={"tool_kinds": ("bash_20250124",)}, because="no web search tool"),
    Case("webSearch", None, facts={"tool_kinds": ("web_search",), "tools": 9, "dialect": "openai_responses"}, because="always offers"),
    Case("webSearch", SEARCH, facts={"tool_kinds": ("web_search",), "tools": 1, "dialect": "openai_responses"}),
    Case("webSearch", SEARCH, facts={"tool_kinds": ("web_search_20250305",), "tools": 9}),
    Case("think", DEEP, facts={"plan_mode": True}, because="plan mode"),
    Case("think", DEEP, model="gpt-5", facts={"effort": Effort.HIGH, "dialect": "openai_chat"}, because="effort high"),
    Case("think", None, facts={"plan_mode": True, "thinking": ReasoningMode.OFF}, because="disabled"),
    Case("think", DEEP, facts={"thinking": ReasoningMode.ON, "budget": 8000}, because="budget of 8000"),
    Case("think", None, facts={"thinking": ReasoningMode.ON}),
    Case("think", None, facts={"thinking": ReasoningMode.ADAPTIVE}),
    Case("think", None, facts={"thinking": ReasoningMode.ADAPTIVE, "effort": Effort.MEDIUM}),
    Case("think", DEEP, facts={"thinking": ReasoningMode.ADAPTIVE, "effort": Effort.HIGH}, because="effort high"),
    Case("think", None, model="glm-5", facts={"effort": Effort.HIGH}, because="does not know"),
    Case("think", DEEP, model="glm-5", facts={"effort": Effort.XHIGH}, because="effort xhigh"),
    Case("think", DEEP, facts={"effort": Effort.LOW}, routes=Routes(think=DEEP, think_effort=Effort.LOW)),
    Case("image", EYES, facts={"images": True}),
    Case("image", None, because="no image"),
    Case("models", DEEP, model="claude-opus-5-5", because="is 'opus'"),
    Case("models", None, because="no pattern fits"),
    Case("default", MAIN, because="no other rule"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=[f"{case.rule}-{at}" for at, case in enumerate(CASES)])
def test_a_rule_looks_and_says(case: Case) -> None:
    verdict = ask(case.rule, facts(case.model, **case.facts), case.conditions, case.routes)
    assert (case.rule, case.target is not None, case.target) == (
        verdict.rule,
        verdict.matched,
        verdict.target,
    )
    assert case.because in verdict.because


@pytest.mark.parametrize(
    "rule", [name for name in RULES if name not in {"explicit", "custom", "subagentTag"}]
)
def test_a_scenario_without_a_target_says_so(rule: str) -> None:
    assert ask(rule, facts(), routes=Routes()) == Verdict(rule, False, "not configured")


def test_no_turn_goes_to_the_image_target_when_images_are_described() -> None:
    described = evolve(policy(ALL), describe_images=True)
    verdict = RULES["image"].ask(View(described, ALL, facts(images=True), Conditions()))

    assert verdict == Verdict("image", False, "images are described (forceUseImageAgent)")


def test_an_explicit_target_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(UnknownModelError, match="unknown provider 'nobody'") as caught:
        ask("explicit", facts("nobody,x"))
    assert caught.value.param == "model"


def test_a_sessions_router_without_a_default_leaves_the_global_one() -> None:
    view = View(policy(Routes(default=MAIN)), Routes(think=DEEP), facts(), Conditions())
    assert RULES["default"].ask(view).target == MAIN


def window(
    chosen: ModelRef, low: int, routes: Routes = ALL, max_tokens: int | None = None, **changes: Any
) -> Verdict:
    conditions = Conditions(low=low, high=low, counted=True, tokens_error=changes.pop("error", ""))
    return fits(View(policy(routes, **changes), routes, facts(max_tokens=max_tokens), conditions), chosen)


def test_the_window_of_the_chosen_target_counts_input_and_answer() -> None:
    assert window(SMALL, 7_000) == Verdict("window", False, "it fits the window of 8000")
    over = Verdict("window", True, "7001 + 1000 tokens are over the window of 8000 of local,tiny", BIG)
    assert window(SMALL, 7_001, max_tokens=128_000) == over
    assert not window(SMALL, 7_500, max_tokens=500).matched


def test_no_more_than_16000_tokens_are_kept_for_the_answer() -> None:
    providers = {"local": provider("local", "tiny", tiny=Window(100_000))}
    assert not window(SMALL, 84_000, max_tokens=128_000, providers=providers).matched
    assert window(SMALL, 84_001, max_tokens=128_000, providers=providers).matched


def test_an_unknown_window_moves_nothing() -> None:
    assert window(MAIN, 10**9) == Verdict("window", False, "the window of the target is not known")


def test_without_another_or_a_larger_target_nothing_moves() -> None:
    assert "no other longContext target" in window(SMALL, 9_000, Routes(default=MAIN)).because
    assert "no other longContext target" in window(SMALL, 9_000, Routes(long_context=SMALL)).because
    same = {"local": provider("local", "tiny", "twin", tiny=Window(8_000), twin=Window(8_000))}
    twin = Routes(long_context=ModelRef("local", "twin"))
    assert "that of local,twin is no larger" in window(SMALL, 9_000, twin, providers=same).because


def test_a_target_of_unknown_window_is_worth_the_move() -> None:
    assert window(SMALL, 9_000, Routes(long_context=MAIN)).target == MAIN


def test_a_failed_count_is_seen_in_the_window_verdict() -> None:
    assert "the count failed: boom" in window(SMALL, 10, error="boom").because
