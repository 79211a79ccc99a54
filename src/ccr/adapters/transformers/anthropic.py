"""``Anthropic``: the provider speaks Anthropic Messages; nothing else is changed."""

from __future__ import annotations

from typing import ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Door, Transformer

__all__ = ["Anthropic"]


@define(frozen=True)
class Anthropic(Transformer):
    """Choose the dialect, by its mere presence."""

    name: ClassVar[str] = "Anthropic"
    door: ClassVar[Door | None] = Door(dialect="anthropic", native=True)

    use_bearer: bool = field(
        default=False,
        alias="UseBearer",
        metadata={"doc": "The key goes as a bearer token, not as `x-api-key`."},
    )

    @override
    def opens(self) -> Door:
        """Return the door, with the login that was chosen."""
        return Door(dialect="anthropic", native=True, credential="bearer" if self.use_bearer else "")
