from __future__ import annotations

from ccr.adapters.transformers.anthropic import Anthropic
from ccr.application.catalog.pipeline import Pipeline


def test_it_changes_nothing() -> None:
    assert Pipeline.of([Anthropic()]).is_identity


def test_the_key_may_go_as_a_bearer_token() -> None:
    assert not Anthropic().use_bearer
    assert Anthropic(UseBearer=True).use_bearer
