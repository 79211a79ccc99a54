from __future__ import annotations

from ccr.adapters.transformers.cerebras import Cerebras
from tests.support.destinations import sent


def test_refused_fields_are_dropped() -> None:
    body = {"model": "m", "reasoning": {}, "parallel_tool_calls": False, "reasoning_effort": "low"}
    assert sent(Cerebras(), body) == {"model": "m", "reasoning_effort": "low"}
