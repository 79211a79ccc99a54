"""``openai-responses``: the provider speaks OpenAI Responses; nothing else is changed."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["OpenAIResponses"]


@define(frozen=True)
class OpenAIResponses(Transformer):
    """Chooses the dialect, by its mere presence."""

    name: ClassVar[str] = "openai-responses"
    door: ClassVar[Door | None] = Door("openai_responses")
