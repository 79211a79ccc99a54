from __future__ import annotations

import pytest

from ccr.application.catalog.policy import compile_policy, named_models, router_of
from ccr.application.settings import ProviderSettings, RouterSettings, Settings
from ccr.domain.conversation import Effort
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.models import ModelRef
from ccr.domain.routing.policy import RoutePolicy, Window
from tests.support.routing import target

A, B, TINY = ModelRef("Main", "Alpha"), ModelRef("Main", "beta"), ModelRef("local", "tiny")
TARGETS = {A: target(A), B: target(B, 200_000), TINY: target(TINY, 8_000, 1_000)}


def compiled(**router: object) -> RoutePolicy:
    return compile_policy(Settings(router=RouterSettings(**router)), TARGETS)  # type: ignore[arg-type]  # by name


def test_texts_become_targets() -> None:
    policy = compiled(
        default="main,alpha",
        long_context="main/beta",
        agents={"Explore": "local,tiny"},
        models={"Opus[1m]": "main,beta"},
        fallback={"default": ("main,beta", "local,tiny")},
        think_effort="XHigh",
        custom_first=True,
    )
    assert (policy.table.default, policy.table.long_context) == (A, B)
    assert policy.table.agents == {"explore": TINY}
    assert [(str(glob), ref) for glob, ref in policy.table.models] == [("opus[1m]", B)]
    assert policy.fallbacks == {"default": (B, TINY)}
    assert (policy.table.think_effort, policy.custom_first) == (Effort.XHIGH, True)


def test_windows_are_known_without_asking_again() -> None:
    policy = compiled(default="main,alpha")
    assert policy.window(TINY) == Window(8_000, 1_000)
    assert policy.smallest_window == 8_000


def test_a_threshold_of_nothing_is_the_ancestors() -> None:
    assert compiled(default="main,alpha", long_context_threshold=0).table.threshold == 60_000


def test_every_route_that_leads_nowhere_is_a_problem() -> None:
    router = RouterSettings(
        default="mian,alpha",
        agents={"Plan": "foo"},
        models={"opus": "main,gamma"},
        fallback={"think": ("local,tiny", "no,where")},
        think_effort="very",
    )
    settings = Settings(router=router, source="config.json")
    with pytest.raises(ConfigError) as caught:
        compile_policy(settings, TARGETS)
    paths = [
        "Router.default",
        "Router.agents.Plan",
        "Router.models.opus",
        "Router.thinkEffort",
        "fallback.think[1]",
    ]
    assert sorted(paths) == sorted(problem.path for problem in caught.value.problems)
    assert "did you mean Main,Alpha" in str(caught.value)
    found: list[Problem] = []
    compile_policy(settings, TARGETS, problems=found)
    assert list(caught.value.problems) == found


def test_without_a_default_the_first_target_answers_and_says_so() -> None:
    warnings: list[Problem] = []
    settings = Settings(providers=(ProviderSettings("Main", "http://x"),))
    assert compile_policy(settings, TARGETS, warnings=warnings).table.default == A
    assert [(w.path, w.message, w.severity) for w in warnings] == [
        ("Router.default", "not set: Main,Alpha answers", "warning")
    ]


def test_with_no_target_at_all_only_explicit_names_are_answered() -> None:
    warnings: list[Problem] = []
    settings = Settings(providers=(ProviderSettings("open", "http://x"),))
    policy = compile_policy(settings, {}, {"open": target}, warnings=warnings)
    assert policy.table.default is None
    assert "only explicit names" in warnings[0].message
    assert compile_policy(Settings(), {}).table.default is None


def test_an_open_provider_takes_any_name_and_says_its_window() -> None:
    policy = compile_policy(Settings(), TARGETS, {"open": lambda ref: target(ref, 5_000)})
    assert policy.look_up("OPEN,x").ref == ModelRef("open", "x")
    assert policy.window(ModelRef("open", "x")) == Window(5_000)


def test_a_provider_that_cannot_be_called_yet_is_a_known_name() -> None:
    router = RouterSettings(default="later,x")
    policy = compile_policy(Settings(router=router), TARGETS, unavailable={"later": "not yet"})
    assert policy.table.default == ModelRef("later", "x")
    assert policy.window(ModelRef("later", "x")) == Window()


def test_models_that_only_routes_name_are_found() -> None:
    router = RouterSettings(
        default="main,ALPHA",
        web_search="Main, beta:online",
        background="main/gamma[1m]",
        agents={"x": "local,other"},
        models={"y": "main,beta:online"},
        fallback={"think": ("main,delta", "foo")},
    )
    assert named_models(router, "main", ["Alpha", "beta"]) == ("gamma", "beta:online", "delta")


def test_a_sessions_router_is_read_leniently() -> None:
    wrong: list[str] = []
    router = router_of(
        {
            "default": "main,alpha",
            "think": 3,
            "longContextThreshold": 100,
            "agents": {"Explore": "main,beta", "x": 1},
            "models": [],
            "thinkEffort": "low",
        },
        lambda path, message: wrong.append(f"{path} {message}"),
    )
    expected = RouterSettings(
        default="main,alpha", long_context_threshold=100, agents={"Explore": "main,beta"}, think_effort="low"
    )
    assert router == expected
    assert [line.split(" ", 1)[0] for line in wrong] == ["Router.think", "Router.agents.x", "Router.models"]


def test_a_sessions_router_may_have_several_targets_a_route() -> None:
    router = router_of(
        {
            "default": ["main,alpha", "main,beta"],
            "agents": {"Explore": {"targets": ["main,beta", "main,alpha"]}},
        },
        lambda path, message: pytest.fail(f"{path} {message}"),
    )
    assert (router.default, router.agents) == ("main,alpha", {"Explore": "main,beta"})
    assert router.groups["default"].targets == ("main,alpha", "main,beta")
    assert router.groups["agents.explore"].strategy == "order"


def test_a_sessions_threshold_that_is_no_number_is_the_default() -> None:
    assert router_of({"longContextThreshold": "many"}, lambda *_: None).long_context_threshold == 0
