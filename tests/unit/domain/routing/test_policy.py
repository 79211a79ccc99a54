from __future__ import annotations

import pytest

from ccr.domain.models import ModelRef
from ccr.domain.routing.glob import Glob
from ccr.domain.routing.policy import KnownProvider, RoutePolicy, Routes, Window, clip
from tests.support.routing import BIG, DEEP, MAIN, PROVIDERS, SMALL, policy, provider


@pytest.mark.parametrize(
    "text",
    ["Main,gpt", "main,GPT", " MAIN , gpt ", "main/gpt", "main,gpt[1m]", "MAIN/GPT[1M]"],
)
def test_names_a_target_whatever_the_case(text: str) -> None:
    assert policy().look_up(text).ref == MAIN


def test_a_provider_without_a_list_takes_any_model_even_with_commas() -> None:
    assert policy().look_up("open,a,b/c").ref == ModelRef("open", "a,b/c")


@pytest.mark.parametrize("text", ["", "claude-opus-5-5", "unknown/model", "/gpt"])
def test_a_bare_name_is_not_explicit(text: str) -> None:
    hit = policy().look_up(text)
    assert (hit.ref, hit.explicit) == (None, False)


def test_an_unknown_provider_is_said_with_near_names() -> None:
    hit = policy().look_up("mian,gpt")
    assert (hit.ref, hit.explicit) == (None, True)
    assert "unknown provider 'mian'; did you mean Main,gpt" in hit.because


def test_an_unknown_model_is_said_with_near_names() -> None:
    assert (
        "provider 'Main' has no model 'depp'; did you mean Main,deep" in policy().look_up("main/depp").because
    )


def test_a_near_provider_is_named_when_no_pair_is_near() -> None:
    said = policy().look_up("loacl,a-model-of-quite-another-name").because
    assert said == "unknown provider 'loacl'; did you mean local?"


def test_without_a_near_name_the_providers_are_listed() -> None:
    assert policy().look_up("zzzzzz,qqqqqq").because.endswith("; known providers: Main, big, local, open")
    many = {f"p{i}": provider(f"p{i}") for i in range(7)}
    assert policy(providers=many).look_up("zzzzzz,q").because.endswith("p3, p4, ...")
    assert RoutePolicy().look_up("a,b").because.endswith("known providers: none")


def test_an_empty_model_is_unknown_even_to_an_open_provider() -> None:
    hit = policy().look_up("open,")
    assert (hit.ref, hit.explicit) == (None, True)


def test_a_slash_that_belongs_to_a_listed_model_is_ambiguous() -> None:
    rival = PROVIDERS | {"router": provider("router", "main/gpt")}
    hit = policy(providers=rival).look_up("Main/GPT")
    assert (hit.ref, hit.explicit) == (None, False)
    assert "also a model of router" in hit.because


def test_a_model_that_is_listed_with_the_suffix_is_preferred_when_it_was_asked_for() -> None:
    known = policy(providers={"p": provider("p", "m", "m[1m]")})
    assert ModelRef("p", "m[1m]") == known.look_up("p,m", wants_1m=True).ref == known.look_up("p,m[1m]").ref
    assert known.look_up("p,m").ref == ModelRef("p", "m")


def test_windows_are_known_by_name_or_measured() -> None:
    assert policy().window(SMALL) == Window(8_000, 1_000)
    assert policy().window(MAIN) == Window()
    assert policy().window(ModelRef("nobody", "x")) == Window()
    measured = KnownProvider("m", is_open=True, measure=lambda model: Window(len(model)))
    assert measured.window("four") == Window(4)


def test_what_callers_write_is_repeated_on_one_bounded_line() -> None:
    assert clip("a\nb\x00") == "a?b?"
    assert clip("x" * 500) == "x" * 120 + "..."


def test_routes_are_listed_by_the_keys_of_the_configuration() -> None:
    routes = Routes(default=MAIN, think=DEEP, agents={"explore": SMALL}, models=((Glob.of("opus[1m]"), BIG),))
    expected = {"default": MAIN, "think": DEEP, "agents.explore": SMALL, "models.opus[1m]": BIG}
    assert policy(routes).routes() == expected
