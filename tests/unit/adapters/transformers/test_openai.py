from __future__ import annotations

from ccr.adapters.transformers.openai import OpenAI
from ccr.application.catalog.pipeline import Pipeline


def test_it_changes_nothing() -> None:
    assert Pipeline.of([OpenAI()]).is_identity


def test_it_chooses_the_dialect() -> None:
    door = OpenAI().opens()
    assert door is not None
    assert door.dialect == "openai_chat"
