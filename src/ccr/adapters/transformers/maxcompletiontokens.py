"""``maxcompletiontokens``: the output limit by its newer name."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["MaxCompletionTokens"]


@define(frozen=True)
class MaxCompletionTokens(Transformer):
    """Rename ``max_tokens`` to ``max_completion_tokens``."""

    name: ClassVar[str] = "maxcompletiontokens"

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        asked = payload.get("max_tokens")
        if asked is None:
            return payload
        return payload.without("max_tokens").with_("max_completion_tokens", asked)
