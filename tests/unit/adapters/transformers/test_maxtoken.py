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
