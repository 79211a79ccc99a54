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
    """Put every option over the request (``provider`` routing and the like). The rest is the dialect's work."""

    name: ClassVar[str] = "vercel"
    open_options: ClassVar[bool] = True

    options: Mapping[str, object] = field(factory=dict, hash=False)

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        for name, value in self.options.items():
            payload = payload.with_(name, value)
        return payload
