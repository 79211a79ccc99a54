from __future__ import annotations

import pytest

from ccr.application.ports.models import ModelFacts, ModelPrice, PriceTier, Rates, profile_with
from ccr.domain.models import ModelProfile

FACTS = ModelFacts("acme", "m", 1000, 100, {"vision": False, "pdf": True})


def test_limits_and_senses_complete_a_profile() -> None:
    expected = ModelProfile(context_window=1000, max_output=100, images=False, documents=True)

    assert expected == profile_with(ModelProfile(), FACTS)


def test_what_the_file_says_stays() -> None:
    said = ModelProfile(context_window=5, max_output=6, images=True, documents=False)

    assert said == profile_with(said, FACTS, {"images", "documents"})


def test_what_is_not_known_changes_nothing() -> None:
    profile = ModelProfile(images=False, documents=True)

    assert profile_with(profile, None) is profile
    assert profile == profile_with(profile, ModelFacts("acme", "m"))


OLD, NEW = ModelPrice("2025-01-01", Rates(input=1)), ModelPrice("2026-01-01", Rates(input=2))


@pytest.mark.parametrize(
    "day, expected", [("2024-06-01", OLD), ("2025-01-01", OLD), ("2025-12-31", OLD), ("2026-01-01", NEW)]
)
def test_the_price_of_a_day(day: str, expected: ModelPrice) -> None:
    assert ModelFacts("acme", "m", prices=(OLD, NEW)).price(day) is expected


def test_an_unknown_price_is_none_and_not_zero() -> None:
    assert FACTS.price("2026-01-01") is None
    assert Rates().input is None


@pytest.mark.parametrize("tokens, expected", [(1, 1), (200, 1), (201, 2), (400, 2), (401, 3)])
def test_long_inputs_cost_more(tokens: int, expected: float) -> None:
    tiers = (PriceTier(200, Rates(input=2)), PriceTier(400, Rates(input=3)))

    assert ModelPrice("", Rates(input=1), tiers).at(tokens).input == expected
