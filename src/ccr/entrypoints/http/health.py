"""Open paths: is somebody there, and may work be sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import HttpMethod, Response, get, route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.operations.check_health import CheckHealth

__all__ = ["health_handlers"]


def health_handlers(check: CheckHealth, catalog: CatalogHolder, version: str) -> Sequence[Any]:
    """Return the handlers."""

    @route(["/", "/api/hello"], http_method=[HttpMethod.GET, HttpMethod.HEAD])
    async def hello() -> dict[str, str]:
        """Answer the connection warm-up of Claude Code."""
        return {"name": "ccr", "version": version}

    @get("/health", operation_id="health")
    async def health() -> dict[str, str]:
        """Alive; never depends on providers or storage."""
        revision = catalog.current.revision if catalog.loaded else ""
        return {"status": "ok", "version": version, "revision": revision}

    @get("/ready", operation_id="ready")
    async def ready() -> Response[dict[str, Any]]:
        """Ready for work: 200, or 503 with the reasons."""
        state = check.readiness()
        body = {"ready": state.ready, "reasons": list(state.reasons)}
        return Response(body, status_code=200 if state.ready else 503)

    return (hello, health, ready)
