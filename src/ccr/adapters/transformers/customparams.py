"""``customparams``: fields of the provider that the caller cannot know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from attrs import define, field
from typing_extensions import override

from ccr.application.ports.transformer import Transformer

if TYPE_CHECKING:
    from ccr.application.ports.payload import Payload
    from ccr.domain.models import Destination

__all__ = ["CustomParams"]


@define(frozen=True)
class CustomParams(Transformer):
    """Add every option that the request has no field for; objects are merged, and inside them the option wins. The names
    are those of the provider's own API, whatever it speaks.
    """

    name: ClassVar[str] = "customparams"
    open_options: ClassVar[bool] = True

    options: Mapping[str, object] = field(
        factory=dict, hash=False, metadata={"doc": "Any field of the request."}
    )

    @override
    def idle(self, to: Destination) -> bool:
        return not self.options

    @override
    def payload(self, payload: Payload, to: Destination) -> Payload:
        for name, wanted in self.options.items():
            there = payload.get(name)
            if there is None:
                payload = payload.with_(name, wanted)
            elif isinstance(wanted, Mapping):
                parsed = payload.parsed(name)
                if isinstance(parsed, dict):
                    payload = payload.with_(name, _merged(parsed, wanted))
        return payload


def _merged(there: Mapping[str, object], wanted: Mapping[str, object]) -> dict[str, object]:
    merged = dict(there)
    for name, value in wanted.items():
        inner = merged.get(name)
        both = isinstance(inner, Mapping) and isinstance(value, Mapping)
        merged[name] = _merged(inner, value) if both else value  # type: ignore[arg-type]  # both are mappings
    return merged
