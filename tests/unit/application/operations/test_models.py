from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest

from ccr.adapters.providers.loader import PackagedProviders, read_provider
from ccr.application.operations.models import ListKnownModels
from ccr.application.ports.models import ModelBook, ModelFacts, ModelPrice, PriceTier, Rates
from ccr.application.settings import ProviderSettings, Settings
from ccr.application.settings.providers import ModelOverride
from ccr.domain.errors import NoSuchPathError

ACME = """
name = "acme"
hosts = ["acme.test"]
[profiles."capped*"]
max_output = 7
"""
PRICES = (
    ModelPrice("2025-01-01", Rates(input=1, output=2), source="List"),
    ModelPrice("2026-01-01", Rates(input=2, output=4), (PriceTier(200, Rates(input=3)),), "List"),
    ModelPrice("2027-01-01", Rates(input=9, output=9), source="List"),
)
BIG = ModelFacts("acme", "big", 1000, 100, {"tools": True}, PRICES, "2027-05-05", {"context_window": "List"})
CAPPED = ModelFacts("acme", "capped-1", 50, 40)


class Book:
    """Knows two models of one provider."""

    rows: Mapping[str, ModelFacts] = {"big": BIG, "capped-1": CAPPED}

    def lookup(self, provider: str, model: str) -> ModelFacts | None:
        return self.rows.get(model)

    def of_provider(self, provider: str) -> tuple[ModelFacts, ...]:
        return tuple(self.rows.values()) if provider == "acme" else ()

    def providers(self) -> tuple[str, ...]:
        return ("acme", "zeta")


KNOWN = ListKnownModels(
    PackagedProviders([read_provider(ACME)]), cast("ModelBook", Book()), lambda: "2026-11-24"
)
MINE = ProviderSettings(
    "mine",
    "https://acme.test/v1/chat/completions",
    models=("big", "capped-1", "own"),
    overrides={"own": ModelOverride(context_window=5), "big": ModelOverride(max_output=99)},
)
SETTINGS = Settings(
    providers=(MINE, ProviderSettings("other", "https://other.test/v1/messages", models=("big",)))
)


def by_model(told: Sequence[Mapping[str, object]]) -> dict[str, Mapping[str, Any]]:
    return {f"{one['provider']},{one['model']}": one for one in told}


def test_the_models_of_the_configuration() -> None:
    told = by_model(KNOWN.list(SETTINGS))

    assert list(told) == ["mine,big", "mine,capped-1", "mine,own", "other,big"]
    big = told["mine,big"]
    assert (big["context_window"], big["max_output"], big["abilities"], big["deprecated"]) == (
        1000,
        99,
        {"tools": True},
        "2027-05-05",
    )
    assert (big["price"]["input"], big["price"]["since"], big["price"]["tiers"][0]["above"]) == (
        2,
        "2026-01-01",
        200,
    )
    assert big["configured"] is True


def test_who_says_what_the_limits_are() -> None:
    told = by_model(KNOWN.list(SETTINGS))

    assert told["mine,big"]["limits_from"] == {"context_window": "List", "max_output": "configuration"}
    assert (told["mine,capped-1"]["max_output"], told["mine,capped-1"]["limits_from"]) == (
        7,
        {"max_output": "acme"},
    )
    own = told["mine,own"]
    assert (own["context_window"], own["max_output"]) == (5, None)


def test_an_unknown_price_is_null() -> None:
    told = by_model(KNOWN.list(SETTINGS))

    assert told["mine,own"]["price"] is None
    assert told["mine,capped-1"]["price"] is None


@pytest.mark.parametrize("provider", ["acme", "mine"])
def test_all_models_of_a_provider(provider: str) -> None:
    told = KNOWN.list(SETTINGS, provider)

    names = {one["model"] for one in told}
    assert {"big", "capped-1"} <= names
    assert ("own" in names) is (provider == "mine")
    assert len(names) == len(told)


def test_a_provider_of_which_nothing_is_known() -> None:
    assert [one["model"] for one in KNOWN.list(SETTINGS, "other")] == ["big", "capped-1"][:1]
    with pytest.raises(NoSuchPathError, match="no provider is called 'nobody'"):
        KNOWN.list(SETTINGS, "nobody")


def test_a_model_with_where_everything_is_from() -> None:
    told: Mapping[str, Any] = KNOWN.show("big", SETTINGS)

    assert [one["provider"] for one in told["configured"]] == ["mine", "other"]
    (known,) = told["known"]
    assert known["sources"]["context_window"] == "List"
    assert [price["since"] for price in known["sources"]["prices"]] == [
        "2025-01-01",
        "2026-01-01",
        "2027-01-01",
    ]


def test_a_model_of_one_provider() -> None:
    told: Mapping[str, Any] = KNOWN.show("mine,big", SETTINGS)
    maker: Mapping[str, Any] = KNOWN.show("zeta,big", SETTINGS)

    assert [one["provider"] for one in told["configured"]] == ["mine"]
    assert maker["configured"] == []
    assert [one["provider"] for one in maker["known"]] == ["acme"]


def test_a_model_that_only_the_configuration_has() -> None:
    told: Mapping[str, Any] = KNOWN.show("own", SETTINGS)

    assert told["known"] == []
    assert told["configured"][0]["context_window"] == 5


def test_a_model_of_which_nobody_has_heard() -> None:
    with pytest.raises(NoSuchPathError, match="nothing is known of the model 'nope'"):
        KNOWN.show("nope", SETTINGS)
