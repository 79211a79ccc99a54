"""Status, draining and reloading."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Response, get, post

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ccr.application.console import Console

__all__ = ["control_handlers"]


def control_handlers(console: Console, process: Mapping[str, object]) -> Sequence[Any]:
    """Return the handlers; ``process`` is what never changes (pid, version, paths)."""

    @get("/status", operation_id="status")
    async def status() -> dict[str, Any]:
        """Say what there is to say about this gateway; no secrets."""
        return {**process, **await console.status()}

    @post("/drain", status_code=202, operation_id="drain")
    async def drain() -> dict[str, Any]:
        """Take no new work from now on; open streams go on."""
        await console.drain()
        return {"draining": True, "active_requests": (await console.status())["active_requests"]}

    @post("/reload", operation_id="reload")
    async def reload() -> Response[dict[str, Any]]:
        """Read the configuration again: 200 when it is in force, 422 when it was refused and the old one stays."""
        taken = await console.manage_config.reload()
        facts = console.check_health.status()
        body = {"reloaded": taken, "revision": facts.get("revision", ""), "error": facts["last_error"]}
        return Response(body, status_code=200 if taken else 422)

    return (status, drain, reload)
