from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.plugins.registry import Registry
from ccr.adapters.transformers.anthropic import Anthropic
from ccr.adapters.transformers.customparams import CustomParams
from ccr.adapters.transformers.maxtoken import MaxToken
from ccr.adapters.transformers.reasoning import Reasoning
from ccr.adapters.transformers.sampling import Sampling

REGISTRY = Registry()


def test_a_transformer_with_its_options() -> None:
    assert MaxToken(65536) == REGISTRY.build("maxtoken", {"max_tokens": 65536})
    assert Reasoning(enable=False) == REGISTRY.build("reasoning", {"enable": False})
    assert Anthropic(UseBearer=True) == REGISTRY.build("Anthropic", {"UseBearer": True})


def test_names_in_any_case() -> None:
    assert Anthropic() == REGISTRY.build("anthropic", {})


def test_numbers_may_come_from_variables() -> None:
    built = REGISTRY.build("sampling", {"max_tokens": "65536", "temperature": "0.5"})
    assert Sampling(max_tokens=65536, temperature=0.5) == built


def test_open_options_are_taken_as_they_are() -> None:
    assert CustomParams({"anything": [1]}) == REGISTRY.build("customparams", {"anything": [1]})


@pytest.mark.parametrize(
    "name,options,said",
    [
        (
            "maxtoken",
            {"max_token": 5},
            "extra fields found (max_token) @ options; did you mean 'max_tokens'?",
        ),
        ("maxtoken", {}, "required field missing @ options.max_tokens"),
        ("maxtoken", {"max_tokens": 0}, "'max_tokens' must be > 0"),
        ("maxtoken", {"max_tokens": "many"}, "must be a number, not 'many' @ options.max_tokens"),
        ("maxtoken", {"max_tokens": True}, "must be a number, not True"),
        ("maxtoken", {"max_tokens": 1.5}, "must be a whole number, not 1.5"),
        ("reasoning", {"enable": "no"}, "must be true or false, not 'no' @ options.enable"),
        ("OpenAI", {"zzz": 1}, "extra fields found (zzz)"),
    ],
)
def test_wrong_options_are_told(name: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"transformer '{name}': ") as caught:
        REGISTRY.build(name, options)
    assert said in str(caught.value)


def test_an_unknown_name_tells_near_ones() -> None:
    with pytest.raises(LookupError, match="unknown transformer 'maxtokn'; did you mean 'maxtoken'"):
        REGISTRY.build("maxtokn", {})
    with pytest.raises(LookupError, match="known: Anthropic, cerebras"):
        REGISTRY.build("qqq", {})


def test_names() -> None:
    assert "maxtoken" in REGISTRY.names()
    assert Registry({"maxtoken": MaxToken}).names() == ("maxtoken",)
