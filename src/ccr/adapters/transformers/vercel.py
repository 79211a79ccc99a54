"""``vercel``: options of the Vercel AI Gateway, as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["Vercel"]


@define(frozen=True)
class Vercel(Transformer):
    """Put every option over the request, as a field of that name (``providerOptions`` with ``gateway``: ``only``, ``order``).
    Without options nothing is left to do: reasoning, images, cache marks, usage and ids are the dialect's work.
    """

    name: ClassVar[str] = "vercel"
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
