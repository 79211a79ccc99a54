from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import Any

import pytest

from ccr.adapters.models import catalog
from ccr.adapters.models.catalog import MAKERS, PackagedModels, spellings
from ccr.adapters.providers.loader import PackagedProviders
from ccr.application.ports.models import ABILITIES, ModelFacts, PriceTier, Rates

SOURCES = {"l": "List", "d": "Dev", "p": "Prices"}
KINDS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"]


def book(**models: dict[str, Any]) -> PackagedModels:
    return PackagedModels(json.dumps({"sources": SOURCES, "kinds": KINDS, "models": models}).encode())


BOOK = book(
    acme={
        "big-1.5": {
            "w": 1000,
            "o": 100,
            "c": "tvR",
            "d": "2027-01-01",
            "f": {"w": "d", "o": "l", "c": "ld", "d": "l"},
            "p": [["2025-01-01", "l", [1, 0.5]], ["2026-01-01", "p", [2, None, None, None, 8], [[200, [4]]]]],
        },
        "Maker/Small": {"w": 10, "f": "d"},
        "small-20250101": {"o": 7, "f": "l"},
    },
    openai={"gpt-9": {"w": 5, "p": [["2026-01-01", "l", [1]]], "f": "l"}},
)


def test_a_row() -> None:
    facts = BOOK.lookup("Acme", "big-1.5")

    assert facts is not None
    assert (facts.provider, facts.model, facts.context_window, facts.max_output, facts.deprecated) == (
        "acme",
        "big-1.5",
        1000,
        100,
        "2027-01-01",
    )
    assert facts.abilities == {"tools": True, "vision": True, "reasoning": False}
    assert facts.sources == {
        "context_window": "Dev",
        "max_output": "List",
        "abilities": "List; Dev",
        "deprecated": "List",
    }
    old, new = facts.prices
    assert (old.since, old.source, old.rates, old.tiers) == ("2025-01-01", "List", Rates(1, 0.5), ())
    assert (new.rates, new.source) == (Rates(input=2, output=8), "Prices")
    assert new.tiers == (PriceTier(200, Rates(input=4)),)
    assert BOOK.lookup("acme", "big-1.5") is facts


@pytest.mark.parametrize(
    "model, expected",
    [
        ("BIG-1.5", "big-1.5"),
        ("big-1-5", "big-1.5"),
        ("big-1.5:thinking", "big-1.5"),
        ("acme/big-1.5[1m]", "big-1.5"),
        ("big-1.5-20260202", "big-1.5"),
        ("big-1.5@20260202", "big-1.5"),
        ("big-1.5-2026-02-02", "big-1.5"),
        ("big-1.5-260202", "big-1.5"),
        ("us.acme.big-1.5-20260202-v1:0", "big-1.5"),
        ("small", "Maker/Small"),
        ("maker/small:free", "Maker/Small"),
        ("small-20250101", "small-20250101"),
    ],
)
def test_ids_as_providers_spell_them(model: str, expected: str) -> None:
    facts = BOOK.lookup("acme", model)

    assert facts is not None
    assert facts.model == expected


@pytest.mark.parametrize("model", ["big", "big-1.5-turbo", "big-1.50", "", "nothing:free", "x/y/z"])
def test_what_nobody_has_heard_of_is_none(model: str) -> None:
    assert BOOK.lookup("acme", model) is None


def test_another_providers_model_has_the_makers_limits_and_no_price() -> None:
    facts = BOOK.lookup("reseller", "openai/gpt-9")

    assert facts is not None
    assert (facts.provider, facts.context_window, facts.prices) == ("openai", 5, ())
    assert BOOK.lookup("reseller", "big-1.5") is None


def test_a_free_model_has_no_price_rather_than_that_of_the_paid_one() -> None:
    facts = BOOK.lookup("acme", "big-1.5:free")

    assert facts is not None
    assert facts.prices == ()


def test_all_of_a_provider() -> None:
    assert [facts.model for facts in BOOK.of_provider("ACME")] == ["Maker/Small", "big-1.5", "small-20250101"]
    assert BOOK.of_provider("nobody") == ()
    assert BOOK.providers() == ("acme", "openai")


def test_spellings_are_ever_shorter() -> None:
    assert list(spellings("A/B-20260101:free")) == [
        "a/b-20260101:free",
        "b-20260101:free",
        "a/b-20260101",
        "b-20260101",
        "a/b",
        "b",
    ]


def test_names_from_callers_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "_MOST_REMEMBERED", 2)
    known = book(acme={"m": {"w": 1, "f": "d"}})

    for number in range(5):
        assert known.lookup("acme", f"nothing-{number}") is None

    assert len(known._known) <= 2
    assert known.lookup("acme", "m") is not None


# ------------------------------------------------------------------------------------------ the file that ships

SHIPPED = PackagedModels()
ALL = [facts for provider in SHIPPED.providers() for facts in SHIPPED.of_provider(provider)]
DAY = re.compile(r"20\d\d-\d\d-\d\d")


def test_the_file_knows_our_providers_only_and_every_maker() -> None:
    ours = set(PackagedProviders().names())

    assert set(SHIPPED.providers()) <= ours
    assert set(MAKERS) <= set(SHIPPED.providers())
    assert len(ALL) > 2000


def test_every_fact_has_a_source_and_no_price_is_zero() -> None:
    for facts in ALL:
        told = {
            "context_window": facts.context_window,
            "max_output": facts.max_output,
            "abilities": facts.abilities,
            "deprecated": facts.deprecated,
        }
        assert set(facts.sources) == {name for name, value in told.items() if value}
        assert all(facts.sources.values())
        assert set(facts.abilities) <= set(ABILITIES)
        assert [price.since for price in facts.prices] == sorted({price.since for price in facts.prices})
        for price in facts.prices:
            assert DAY.fullmatch(price.since)
            assert price.source
            assert price.rates.input
            assert price.rates.output
            for rates in (price.rates, *(tier.rates for tier in price.tiers)):
                assert 0 not in (
                    rates.input,
                    rates.cache_read,
                    rates.cache_write_5m,
                    rates.output,
                    rates.reasoning,
                )


@pytest.mark.parametrize(
    "provider, model",
    [
        ("anthropic", "claude-sonnet-4-6"),
        ("openai", "gpt-5"),
        ("openrouter", "anthropic/claude-sonnet-4.6"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"),
        ("gemini", "gemini-2.5-pro"),
        ("deepseek", "deepseek-chat"),
        ("aihubmix", "Z/glm-4.5"),
        ("modelscope", "Qwen/Qwen3-Coder-480B-A35B-Instruct"),
    ],
)
def test_models_that_people_use(provider: str, model: str) -> None:
    facts = SHIPPED.lookup(provider, model)

    assert isinstance(facts, ModelFacts)
    assert facts.context_window
    assert facts.max_output


@pytest.mark.parametrize("module", ["ccr.entrypoints.cli.status", "ccr.entrypoints.cli.main"])
def test_a_quick_command_does_not_load_the_catalog(module: str) -> None:
    code = f"import sys, {module}; sys.exit('ccr.adapters.models.catalog' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
