"""``deepseek``: the output limit of DeepSeek's models."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["DeepSeek"]

_LIMIT = 8192
"""Tokens; the original's, for models of which we know no limit."""


@define(frozen=True)
class DeepSeek(Transformer):
    """Cap ``max_tokens``. Reasoning is read by the dialect."""

    name: ClassVar[str] = "deepseek"

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        asked = payload.get("max_tokens")
        limit = to.profile.max_output or _LIMIT
        return payload.with_("max_tokens", min(asked, limit)) if isinstance(asked, int) else payload
