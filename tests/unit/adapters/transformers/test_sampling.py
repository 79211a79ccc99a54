from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.transformers.sampling import Sampling
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from tests.support.destinations import destination, sent


def test_the_limit_is_capped_and_the_rest_replaced() -> None:
    options = Sampling(max_tokens=10, temperature=0.0, top_k=4, repetition_penalty=1.1)
    body = {"max_tokens": 20, "temperature": 1.0, "top_p": 0.9}
    expected = {"max_tokens": 10, "temperature": 0.0, "top_p": 0.9, "top_k": 4, "repetition_penalty": 1.1}
    assert expected == sent(options, body)


def test_nothing_given_is_nothing_changed() -> None:
    assert sent(Sampling(), {"max_completion_tokens": 20}) == {"max_completion_tokens": 20}
    assert sent(Sampling(max_tokens=10), {}) == {}


ALL = Sampling(max_tokens=10, temperature=0.5, top_p=0.9, top_k=4, repetition_penalty=1.1)


@pytest.mark.parametrize(
    "dialect,body,expected",
    [
        ("anthropic", {"max_tokens": 20}, {"max_tokens": 10, "temperature": 0.5, "top_p": 0.9, "top_k": 4}),
        (
            "openai_responses",
            {"max_output_tokens": 20},
            {"max_output_tokens": 10, "temperature": 0.5, "top_p": 0.9},
        ),
        (
            "gemini",
            {"generationConfig": {"maxOutputTokens": 20, "seed": 1}},
            {
                "generationConfig": {
                    "maxOutputTokens": 10,
                    "seed": 1,
                    "temperature": 0.5,
                    "topP": 0.9,
                    "topK": 4,
                }
            },
        ),
        ("another", {}, {}),
    ],
)
def test_every_dialect_is_told_what_it_has_a_word_for(
    dialect: str, body: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert expected == sent(ALL, body, dialect)


def test_without_options_it_is_idle() -> None:
    assert Pipeline.of([Sampling()], destination()) == IDENTITY
    assert not Pipeline.of([ALL], destination()).is_identity
