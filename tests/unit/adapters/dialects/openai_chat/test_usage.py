from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat.usage import read_usage
from ccr.domain.usage import NO_USAGE, Usage


@pytest.mark.parametrize("nothing", [None, 5, "x", []])
def test_anything_but_an_object_says_nothing(nothing: object) -> None:
    assert read_usage(nothing) == NO_USAGE


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 40}},
        {"cached_tokens": 40},
        {"prompt_cache_hit_tokens": 40, "prompt_cache_miss_tokens": 60},
    ],
)
def test_cached_tokens_wherever_they_stand(cached: dict[str, Any]) -> None:
    said = {"prompt_tokens": 100, "completion_tokens": 7, **cached}
    assert Usage(input_uncached=60, cache_read=40, output=7) == read_usage(said)


@pytest.mark.parametrize("name", ["cache_write_tokens", "cache_creation_input_tokens"])
def test_tokens_written_to_a_cache(name: str) -> None:
    said = {"prompt_tokens": 100, "prompt_tokens_details": {"cached_tokens": 40, name: 10}}
    assert Usage(input_uncached=50, cache_read=40, cache_write_5m=10) == read_usage(said)


def test_reasoning_is_part_of_the_output() -> None:
    said = {
        "prompt_tokens": 1,
        "completion_tokens": 9,
        "total_tokens": 10,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert Usage(input_uncached=1, output=9, reasoning=4) == read_usage(said)


def test_reasoning_beside_the_output_is_added_where_the_total_shows_it() -> None:
    said = {
        "prompt_tokens": 1,
        "completion_tokens": 9,
        "total_tokens": 14,
        "completion_tokens_details": {"reasoning_tokens": 4},
    }
    assert Usage(input_uncached=1, output=13, reasoning=4) == read_usage(said)


def test_the_cost_that_the_provider_says() -> None:
    assert Usage(provider_cost=0.5) == read_usage({"cost": 0.5})


def test_odd_numbers() -> None:
    said = {"prompt_tokens": 10.0, "completion_tokens": True, "prompt_tokens_details": 5, "cost": True}
    assert Usage(input_uncached=10) == read_usage(said)
    assert Usage(input_uncached=0, cache_read=9) == read_usage({"prompt_tokens": 5, "cached_tokens": 9})
