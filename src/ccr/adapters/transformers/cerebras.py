"""``cerebras``: without the fields that Cerebras refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire.places import CHAT
from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Cerebras"]

_REFUSED = (
    "reasoning",
    "parallel_tool_calls",
    "service_tier",
    "presence_penalty",
    "frequency_penalty",
    "logit_bias",
)
"""providers.md 4.2."""


@define(frozen=True)
class Cerebras(Transformer):
    """Drop the fields of chat completions that are refused there: `reasoning`, `parallel_tool_calls`, `service_tier`,
    the penalties and `logit_bias`.
    """

    name: ClassVar[str] = "cerebras"

    @override
    def idle(self, to: Destination) -> bool:
        return to.dialect != CHAT

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        return payload if self.idle(to) else payload.without(*_REFUSED)
