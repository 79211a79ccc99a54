"""``sampling``: set what the model samples by."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from attrs.validators import gt, optional
from typing_extensions import override

from ccr.adapters.wire.places import SAMPLING, limit_place, lowered, read, write
from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Sampling"]

_NAMES = ("temperature", "top_p", "top_k", "repetition_penalty")


@define(frozen=True)
class Sampling(Transformer):
    """``max_tokens`` caps what the caller asks for; the others replace it. What a dialect has no word for is left out."""

    name: ClassVar[str] = "sampling"

    max_tokens: int | None = field(
        default=None,
        validator=optional(gt(0)),
        metadata={"doc": "Longest reply, in tokens; only ever lowers the limit."},
    )
    temperature: float | None = field(default=None, metadata={"doc": "The temperature of every request."})
    top_p: float | None = field(default=None, metadata={"doc": "Nucleus sampling."})
    top_k: int | None = field(default=None, metadata={"doc": "Not in OpenAI's Responses."})
    repetition_penalty: float | None = field(default=None, metadata={"doc": "In chat completions only."})

    @override
    def idle(self, to: Destination) -> bool:
        return self == Sampling()

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        asked = read(payload, limit_place(payload, to))
        if self.max_tokens is not None and isinstance(asked, int) and asked > self.max_tokens:
            payload = lowered(payload, to, self.max_tokens)
        places = SAMPLING.get(to.dialect, {})
        for name in _NAMES:
            value = getattr(self, name)
            if value is not None and name in places:
                payload = write(payload, places[name], value)
        return payload
