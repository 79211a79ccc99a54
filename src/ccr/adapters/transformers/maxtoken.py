"""``maxtoken``: cap the output limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from attrs.validators import gt
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["MaxToken"]

_FIELDS = ("max_tokens", "max_completion_tokens")


@define(frozen=True)
class MaxToken(Transformer):
    """Lower the output limit (tokens) to ``max_tokens``; add it when absent."""

    name: ClassVar[str] = "maxtoken"

    max_tokens: int = field(validator=gt(0))

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        found = next((name for name in _FIELDS if payload.get(name) is not None), to.profile.max_tokens_field)
        asked = payload.get(found)
        return payload.with_(
            found, min(asked, self.max_tokens) if isinstance(asked, int) else self.max_tokens
        )
