"""``Anthropic``: the provider speaks Anthropic Messages; nothing else is changed."""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field

from ccr.application.ports.transformer import Transformer

__all__ = ["Anthropic"]


@define(frozen=True)
class Anthropic(Transformer):
    """Chooses the dialect, by its mere presence. ``UseBearer``: the key goes as a bearer token, not as x-api-key."""

    name: ClassVar[str] = "Anthropic"

    use_bearer: bool = field(default=False, alias="UseBearer")
