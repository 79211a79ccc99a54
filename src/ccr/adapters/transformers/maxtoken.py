"""``maxtoken``: the output limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from attrs.validators import gt, in_
from typing_extensions import override

from ccr.adapters.wire.places import limit_place, lowered, read
from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["MaxToken"]

_CAP, _SET = "cap", "set"


@define(frozen=True)
class MaxToken(Transformer):
    """Lower the output limit to ``max_tokens``, and add it when the request has none; with ``mode: set`` it is set whatever
    the request says.
    """

    name: ClassVar[str] = "maxtoken"

    max_tokens: int = field(validator=gt(0), metadata={"doc": "The limit, in tokens."})
    mode: str = field(
        default=_CAP,
        validator=in_((_CAP, _SET)),
        metadata={"doc": "`cap`: no more than that; `set`: exactly that."},
    )

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        asked = read(payload, limit_place(payload, to))
        if self.mode == _CAP and isinstance(asked, int) and asked <= self.max_tokens:
            return payload
        return lowered(payload, to, self.max_tokens)
