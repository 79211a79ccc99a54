"""The model endpoints: raw ASGI mounts that read and send for themselves (decision 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from ccr.application.call import Call, Operation
from ccr.domain.errors import ClientGoneError, WrongMethodError
from ccr.entrypoints.http.disconnect import Incoming
from ccr.entrypoints.http.replies import send_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from litestar.types import Receive, Scope, Send

    from ccr.application.call import Answer
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.gateway import Gateway
    from ccr.application.ports.system import Clock
    from ccr.entrypoints.http.guard import Admitted

__all__ = ["ModelEndpoint", "model_routes"]


@define(eq=False)
class ModelEndpoint:
    """One path of one dialect."""

    operation: Operation
    dialect: str
    serve: Callable[[Call], Awaitable[Answer]]
    catalog: CatalogHolder
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises GatewayError for the guard to render."""
        request: Any = scope
        if request["method"] != "POST":
            raise WrongMethodError(
                f"{request['method']} is not allowed at {request['path']}", allowed=("POST",)
            )
        admitted: Admitted = request["ccr"]
        incoming = Incoming(receive, self.catalog.current.settings.limits)
        call = Call(
            operation=self.operation,
            dialect=self.dialect,
            path=request["path"],
            headers=admitted.headers,
            principal=admitted.principal,
            request_id=admitted.request_id,
            load=incoming.load,
            disconnect=incoming.disconnect,
            received=self.clock.monotonic(),
            query=request["query_string"].decode("latin-1"),
        )
        answer: Answer | None = None
        try:
            answer = await self.serve(call)
            await send_answer(send, answer)
        except ClientGoneError:
            return
        finally:
            incoming.close()
            if answer is not None and answer.close is not None:
                await answer.close()


def model_routes(gateway: Gateway, catalog: CatalogHolder, clock: Clock) -> dict[str, ModelEndpoint]:
    """Return every model endpoint by its path."""
    return {
        "/v1/messages": ModelEndpoint(Operation.GENERATE, "anthropic", gateway.handle_call, catalog, clock),
        "/v1/messages/count_tokens": ModelEndpoint(
            Operation.COUNT, "anthropic", gateway.count_tokens, catalog, clock
        ),
    }
