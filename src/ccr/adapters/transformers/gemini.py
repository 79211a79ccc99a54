"""``gemini``: the provider speaks Gemini; nothing else is changed."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["Gemini"]


@define(frozen=True)
class Gemini(Transformer):
    """Chooses the dialect, by its mere presence; the key goes as x-goog-api-key."""

    name: ClassVar[str] = "gemini"
    door: ClassVar[Door | None] = Door("gemini", credential="x-goog-api-key")
