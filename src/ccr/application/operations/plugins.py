"""``ccr plugins`` and ``ccr transformers``: what there is, where it comes from and how it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import asdict, define

if TYPE_CHECKING:
    from ccr.application.ports.provider import ProviderBook
    from ccr.application.ports.transformer import TransformerInfo, TransformerRegistry

__all__ = ["ListPlugins", "to_dict"]


@define(eq=False)
class ListPlugins:
    """``transformers`` gives the registry in force: that of the current catalog. Answers plain JSON values."""

    transformers: Callable[[], TransformerRegistry]
    book: ProviderBook

    def __call__(self) -> Mapping[str, object]:
        """List every transformer and provider, and what a person should know about the plugins now."""
        registry = self.transformers()
        specs = [spec for name in self.book.names() if (spec := self.book.by_name(name)) is not None]
        return {
            "transformers": [to_dict(info) for info in registry.describe()],
            "providers": [{"name": spec.name, "origin": spec.origin} for spec in specs],
            "warnings": list(registry.warnings()),
        }


def to_dict(info: TransformerInfo) -> dict[str, object]:
    """Return a description as plain JSON values; ``state`` is ``on`` or ``off``."""
    told = asdict(info)
    told["state"] = "off" if told.pop("off") else "on"
    return told
