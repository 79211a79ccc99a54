"""``OpenAI``: the provider speaks chat completions; nothing else is changed."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["OpenAI"]


@define(frozen=True)
class OpenAI(Transformer):
    """Choose the dialect, by its mere presence."""

    name: ClassVar[str] = "OpenAI"
    door: ClassVar[Door | None] = Door(dialect="openai_chat")
