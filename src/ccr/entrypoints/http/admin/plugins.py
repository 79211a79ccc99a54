"""How the plugins of this process do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import get

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.operations.plugins import ListPlugins

__all__ = ["plugin_handlers"]


def plugin_handlers(list_plugins: ListPlugins) -> Sequence[Any]:
    """Return the handlers."""

    @get("/plugins", operation_id="list_plugins")
    async def plugins() -> dict[str, Any]:
        """List transformers and providers with their origin, and the state and failures of plugins; of this worker."""
        return dict(list_plugins())

    return (plugins,)
