"""What some use cases ask while they run, made of parts of the container."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ccr.adapters.upstream.http_upstream import HttpUpstream
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.ports.system import Clock
    from ccr.application.ports.transformer import TransformerRegistry

__all__ = ["day_of", "is_set_in", "registry_in_force", "runtime_of"]


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


def runtime_of(upstream: HttpUpstream) -> Callable[[], Mapping[str, int]]:
    """Return who counts the tasks of the event loop and the connections to providers."""

    def count() -> dict[str, int]:
        stats = upstream.stats
        return {
            "tasks": len(asyncio.all_tasks()),
            "connections": stats.direct.open + stats.proxied_open,
            "idle_connections": stats.direct.idle + stats.proxied_idle,
        }

    return count


def day_of(clock: Clock) -> Callable[[], str]:
    """Return who knows the day, as ``YYYY-MM-DD``."""
    return lambda: clock.now().date().isoformat()
