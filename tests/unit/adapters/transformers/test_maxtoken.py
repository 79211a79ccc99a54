from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.transformers.maxtoken import MaxToken
from tests.support.destinations import sent


@pytest.mark.parametrize(
    "asked,expected",
    [
        ({"max_tokens": 128000}, {"max_tokens": 100}),
        ({"max_tokens": 50}, {"max_tokens": 50}),
        ({"max_completion_tokens": 128000}, {"max_completion_tokens": 100}),
        ({}, {"max_tokens": 100}),
        ({"max_tokens": "odd"}, {"max_tokens": 100}),
    ],
)
def test_the_limit_is_capped_and_added(asked: dict[str, Any], expected: dict[str, Any]) -> None:
    assert expected == sent(MaxToken(100), asked)


def test_it_is_added_by_the_name_of_the_model() -> None:
    assert sent(MaxToken(100), {}, max_tokens_field="max_completion_tokens") == {"max_completion_tokens": 100}


@pytest.mark.parametrize(
    "dialect,asked,expected",
    [
        ("anthropic", {"max_tokens": 9000}, {"max_tokens": 100}),
        ("anthropic", {}, {"max_tokens": 100}),
        ("openai_responses", {"max_output_tokens": 9000}, {"max_output_tokens": 100}),
        ("openai_responses", {}, {"max_output_tokens": 100}),
        (
            "gemini",
            {"generationConfig": {"topK": 1}},
            {"generationConfig": {"topK": 1, "maxOutputTokens": 100}},
        ),
        (
            "gemini",
            {"generationConfig": {"maxOutputTokens": 5}},
            {"generationConfig": {"maxOutputTokens": 5}},
        ),
        ("gemini", {}, {"generationConfig": {"maxOutputTokens": 100}}),
    ],
)
def test_every_dialect_has_its_own_place(
    dialect: str, asked: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert expected == sent(MaxToken(100), asked, dialect)


def test_set_is_literal() -> None:
    assert sent(MaxToken(100, "set"), {"max_tokens": 50}) == {"max_tokens": 100}
    assert sent(MaxToken(100, "set"), {"max_tokens": 150}) == {"max_tokens": 100}


def test_another_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode"):
        MaxToken(100, "lower")


@pytest.mark.parametrize(
    "limit,thinking",
    [
        (3000, {"type": "enabled", "budget_tokens": 2999}),
        (1024, None),
        (9000, {"type": "enabled", "budget_tokens": 8000}),
    ],
)
def test_a_thinking_budget_stays_below_the_limit(limit: int, thinking: object) -> None:
    body = {"max_tokens": 10_000, "thinking": {"type": "enabled", "budget_tokens": 8000}}
    found = sent(MaxToken(limit), body, "anthropic")

    assert found["max_tokens"] == limit
    assert found.get("thinking") == thinking


def test_thinking_without_a_budget_is_left_alone() -> None:
    body = {"max_tokens": 10_000, "thinking": {"type": "adaptive"}}
    assert {**body, "max_tokens": 5} == sent(MaxToken(5), body, "anthropic")
