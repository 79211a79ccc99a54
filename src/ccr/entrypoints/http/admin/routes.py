"""Why requests went where they went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get, post

from ccr.application.call import Call, Operation
from ccr.domain.errors import InvalidRequestError
from ccr.entrypoints.http.disconnect import Incoming

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.console import Console
    from ccr.application.ports.system import Clock

__all__ = ["route_handlers"]

_MOST = 1000


def route_handlers(console: Console, catalog: CatalogHolder, clock: Clock) -> Sequence[Any]:
    """Return the handlers."""

    @get("/route/decisions", operation_id="list_decisions")
    async def decisions(last: int = 1) -> dict[str, Any]:
        """Return the newest decisions, newest first; at most the thousand that are remembered."""
        if not 1 <= last <= _MOST:
            raise InvalidRequestError(f"last must be between 1 and {_MOST}", param="last")
        return {"decisions": list(console.explain_route.recent(last))}

    @get("/route/decisions/{request_id:str}", operation_id="get_decision")
    async def decision(request_id: str) -> dict[str, Any]:
        """Return the decision of one request."""
        return dict(console.explain_route.remembered(request_id))

    @post("/route/explain", status_code=200, operation_id="explain_route")
    async def explain(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """Decide for a request without sending it; its own headers count, hints included."""
        admitted = request.scope["ccr"]  # type: ignore[typeddict-item]
        incoming = Incoming(request.receive, catalog.current.settings.limits)
        call = Call(
            operation=Operation.GENERATE,
            dialect="anthropic",
            path="/v1/messages",
            headers=admitted.headers,
            principal=admitted.principal,
            request_id=admitted.request_id,
            load=incoming.load,
            disconnect=incoming.disconnect,
            received=clock.monotonic(),
        )
        try:
            return dict(await console.explain_route(call))
        finally:
            incoming.close()

    return (decisions, decision, explain)
