"""What some use cases ask while they run, made of parts of the container."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.ports.system import Clock
    from ccr.application.ports.transformer import TransformerRegistry

__all__ = ["day_of", "is_set_in", "registry_in_force"]


def registry_in_force(catalog: CatalogHolder) -> Callable[[], TransformerRegistry]:
    """Return who gives the transformers of the configuration in force."""

    def ask() -> TransformerRegistry:
        found = catalog.current.transformers
        if found is None:
            raise RuntimeError("the catalog was compiled without transformers")
        return found

    return ask


def is_set_in(environ: Mapping[str, str]) -> Callable[[str], bool]:
    """Return who knows whether a variable has a value."""
    return lambda name: bool(environ.get(name))


def day_of(clock: Clock) -> Callable[[], str]:
    """Return who knows the day, as ``YYYY-MM-DD``."""
    return lambda: clock.now().date().isoformat()
