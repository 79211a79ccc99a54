from __future__ import annotations

from ccr.adapters.transformers.cerebras import Cerebras
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from tests.support.destinations import destination, sent


def test_refused_fields_are_dropped() -> None:
    body = {"model": "m", "reasoning": {}, "parallel_tool_calls": False, "reasoning_effort": "low"}
    assert sent(Cerebras(), body) == {"model": "m", "reasoning_effort": "low"}


def test_it_speaks_of_chat_completions_only() -> None:
    assert sent(Cerebras(), {"reasoning": {}}, "openai_responses") == {"reasoning": {}}
    assert Pipeline.of([Cerebras()], destination("anthropic")) == IDENTITY
