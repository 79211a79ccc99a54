"""``openrouter``: options of OpenRouter, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["OpenRouter"]


@define(frozen=True)
class OpenRouter(Transformer):
    """Put every option over the request, as a field of that name (``provider``: ``only``, ``order``, ``allow_fallbacks``; ``models``, ``transforms``, ``plugins``).
    Without options nothing is left to do: reasoning, images, cache marks, usage and ids are the dialect's work.
    """

    name: ClassVar[str] = "openrouter"
    open_options: ClassVar[bool] = True

    options: Mapping[str, object] = field(
        factory=dict, hash=False, metadata={"doc": "Any field of the request."}
    )

    @override
    def idle(self, to: Destination) -> bool:
        return not self.options

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        for name, value in self.options.items():
            payload = payload.with_(name, value)
        return payload
