from __future__ import annotations

from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat.write_request import write_request
from ccr.adapters.transformers.reasoning import Reasoning
from ccr.adapters.wire.json import CODEC
from ccr.application.catalog.pipeline import IDENTITY, Pipeline
from ccr.domain.conversation import Conversation, Effort, ReasoningMode
from ccr.domain.conversation import Reasoning as Asked
from ccr.domain.models import ModelProfile, ReasoningStyle
from tests.support.destinations import destination

ON = {"thinking": {"type": "enabled"}, "enable_thinking": True}
OFF = {"thinking": {"type": "disabled"}, "enable_thinking": False}


def sent(transformer: Reasoning, asked: Asked, profile: ModelProfile) -> dict[str, Any]:
    """The whole way: what the target is known as, what is meant, what is written."""
    known = transformer.profile(profile)
    conversation = transformer.request(Conversation("m", (), reasoning=asked), destination())
    body: Any = CODEC.decode(write_request(conversation, known).payload.encode())
    return {name: value for name, value in body.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    "enable,mode,expected",
    [
        (True, ReasoningMode.ADAPTIVE, ON),
        (True, ReasoningMode.ON, ON),
        (True, ReasoningMode.OFF, OFF),
        (True, ReasoningMode.UNSET, {}),
        (False, ReasoningMode.ON, OFF),
        (False, ReasoningMode.UNSET, OFF),
    ],
)
def test_a_model_that_nobody_knows_is_told_what_the_caller_asks(
    enable: bool, mode: ReasoningMode, expected: dict[str, Any]
) -> None:
    assert expected == sent(Reasoning(enable=enable), Asked(mode), ModelProfile())


def test_a_known_model_is_told_in_its_own_way() -> None:
    profile = ModelProfile(reasoning=ReasoningStyle.EFFORT, reasoning_off=False)
    asked = Asked(ReasoningMode.ON, Effort.HIGH)

    assert sent(Reasoning(), asked, profile) == {"reasoning_effort": "high"}
    assert sent(Reasoning(enable=False), asked, profile) == {"reasoning_effort": "low"}


def test_passthrough_stays_passthrough_unless_it_is_switched_off() -> None:
    assert Pipeline.of([Reasoning()], destination()) == IDENTITY
    assert not Pipeline.of([Reasoning(enable=False)], destination()).is_identity
