"""``reasoning``: switch thinking on or off by the fields of DeepSeek and Qwen."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Reasoning"]

_TOLD = ("reasoning_effort", "reasoning", "thinking", "enable_thinking")


@define(frozen=True)
class Reasoning(Transformer):
    """``enable`` false switches thinking off whatever the caller says; true switches it on unless the model's profile
    already said how to (then the dialect has done so). Reasoning that comes back is read in any case.
    """

    name: ClassVar[str] = "reasoning"

    enable: bool = True

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        if not self.enable:
            cleared = payload.without("reasoning_effort", "reasoning", "thinking_budget")
            return cleared.with_("thinking", {"type": "disabled"}).with_("enable_thinking", False)
        if any(payload.get(name) is not None for name in _TOLD):
            return payload
        return payload.with_("thinking", {"type": "enabled"}).with_("enable_thinking", True)
