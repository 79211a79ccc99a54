"""``streamoptions``: ask for token counts in streams."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["StreamOptions"]


@define(frozen=True)
class StreamOptions(Transformer):
    """Set ``stream_options.include_usage`` on streamed requests; only for models whose profile says they refuse it."""

    name: ClassVar[str] = "streamoptions"

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        if payload.get("stream") is not True:
            return payload
        return payload.with_("stream_options", {"include_usage": True})
