"""``maxcompletiontokens``: the output limit by its newer name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire.places import CHAT
from ccr.application.ports.transformer import Transformer
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination, ModelProfile

__all__ = ["MaxCompletionTokens"]

_OLD, _NEW = "max_tokens", "max_completion_tokens"


@define(frozen=True)
class MaxCompletionTokens(Transformer):
    """Send the output limit as ``max_completion_tokens`` instead of ``max_tokens``, where chat completions are spoken."""

    name: ClassVar[str] = "maxcompletiontokens"

    @override
    def idle(self, to: Destination) -> bool:
        return to.dialect != CHAT

    @override
    def profile(self, profile: ModelProfile) -> ModelProfile:
        return evolve(profile, max_tokens_field=_NEW)

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        asked = payload.get(_OLD)
        if asked is None or self.idle(to):
            return payload
        return payload.without(_OLD).with_(_NEW, asked)
