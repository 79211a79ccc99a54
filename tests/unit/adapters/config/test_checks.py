"""What must make sense beyond its shape."""

from __future__ import annotations

import pytest

from tests.support.configs import PROVIDER, keys, loaded, problems, provider, settings, warnings


@pytest.mark.parametrize("key", ['api_key: "",', ""])
def test_a_provider_without_key_loads_with_one_warning(key: str) -> None:
    found = loaded(provider(f'name: "p", api_base_url: "https://h/", {key} models: ["m"]'))
    assert found.settings.providers[0].api_keys == ()
    assert [problem.message for problem in found.warnings] == [
        "p has no api_key: no auth header is sent to it"
    ]


def test_a_provider_that_lists_no_models_takes_any() -> None:
    found = settings(
        '{Providers: [{name: "p", api_base_url: "https://h/", api_key: "k"}], Router: {default: "p,any"}}'
    )
    assert found.router.default == "p,any"


@pytest.mark.parametrize(
    "target, expected",
    [
        ("q,m", "there is no provider 'q'"),
        ("pp,m", "did you mean p?"),
        ("m", "'m' is not provider,model (write \"p,m\")"),
        ("p,", "is not provider,model"),
        ("zzz", "is not provider,model"),
        ("demo,other", "the built-in provider demo has no model 'other'"),
        ("$GONE", "the variable GONE is not set"),
    ],
)
def test_a_route_must_lead_somewhere(target: str, expected: str) -> None:
    text = provider(PROVIDER).replace('"p,m"', f'"p,m", think: "{target}"')
    assert any(expected in problem for problem in problems(text)), problems(text)
    assert problems(text)[0].split(": ")[1] == "Router.think"


@pytest.mark.parametrize(
    "target, expected",
    [
        ("p,mm", "p has no model 'mm' in its models; it is passed on (did you mean m?)"),
        ("p,other", "it offers: m, org/n"),
    ],
)
def test_a_routed_model_that_is_not_listed_warns_and_is_passed_on(target: str, expected: str) -> None:
    text = provider(PROVIDER).replace('"p,m"', f'"p,m", think: "{target}"')

    assert any(expected in warning for warning in warnings(text)), warnings(text)


@pytest.mark.parametrize("value", ["0", "-5", "'x'"])
def test_the_threshold_is_a_positive_number(value: str) -> None:
    assert (
        "Router.longContextThreshold: should be"
        in problems('{Router: {default: "demo,demo", longContextThreshold: ' + value + "}}")[0]
    )


def test_a_model_of_a_transformer_block_that_is_not_offered_warns() -> None:
    text = provider(PROVIDER + ', transformer: {"org/nn": {use: ["x"]}}')
    assert "p has no model 'org/nn' (did you mean org/n?)" in warnings(text)[0]


def test_an_unknown_scenario_of_a_fallback_warns() -> None:
    assert "did you mean think?" in warnings(keys('fallback: {thinking: ["demo,demo"]}'))[0]


def test_a_blank_key_protects_nothing() -> None:
    assert "begins or ends with a blank" in problems(keys('HOST: "0.0.0.0", APIKEY: "  "'))[0]


def test_no_default_route_warns() -> None:
    assert "Router.default is not set" in warnings("{PORT: 3456, Providers: [], Router: {}}")[0]


def with_fidelity(said: str) -> str:
    return f'{{Router: {{default: "demo,demo", fidelity: {said}}}}}'


def test_fidelity_is_a_word_for_all_routes_or_one_for_each() -> None:
    assert "did you mean think?" in problems(with_fidelity('{thinks: "exact"}'))[0]
    assert "one of best, exact" in problems(with_fidelity('"exakt"'))[0]
    assert not [
        said for said in warnings(with_fidelity('{"*": "exact", think: "best"}')) if "fidelity" in said
    ]
