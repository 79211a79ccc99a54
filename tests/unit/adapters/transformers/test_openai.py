from __future__ import annotations

from ccr.adapters.transformers.openai import OpenAI
from ccr.application.catalog.pipeline import Pipeline


def test_it_changes_nothing() -> None:
    assert Pipeline.of([OpenAI()]).is_identity
