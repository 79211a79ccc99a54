"""``sampling``: set what the model samples by."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from attrs.validators import gt, optional
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Sampling"]

_LIMITS = ("max_tokens", "max_completion_tokens")


@define(frozen=True)
class Sampling(Transformer):
    """``max_tokens`` caps what the caller asks for; the others replace it."""

    name: ClassVar[str] = "sampling"

    max_tokens: int | None = field(default=None, validator=optional(gt(0)))
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        for name in _LIMITS:
            asked = payload.get(name)
            if self.max_tokens is not None and isinstance(asked, int):
                payload = payload.with_(name, min(asked, self.max_tokens))
        for name in ("temperature", "top_p", "top_k", "repetition_penalty"):
            value = getattr(self, name)
            if value is not None:
                payload = payload.with_(name, value)
        return payload
