from __future__ import annotations

from ccr.adapters.transformers.reasoning import Reasoning
from tests.support.destinations import sent

ON = {"thinking": {"type": "enabled"}, "enable_thinking": True}
OFF = {"thinking": {"type": "disabled"}, "enable_thinking": False}


def test_thinking_is_switched_off_whatever_was_asked() -> None:
    assert sent(Reasoning(enable=False), {"model": "m", "reasoning_effort": "high"}) == {"model": "m", **OFF}


def test_thinking_is_switched_on_unless_the_dialect_said_how() -> None:
    assert sent(Reasoning(), {"model": "m"}) == {"model": "m", **ON}
    assert sent(Reasoning(), {"reasoning_effort": "low"}) == {"reasoning_effort": "low"}
