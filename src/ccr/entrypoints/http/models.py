"""The model endpoints: raw ASGI mounts that read and send for themselves (decision 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from attrs import define

from ccr.application.call import Call, Operation
from ccr.domain.errors import ClientGoneError, WrongMethodError
from ccr.entrypoints.http.disconnect import Incoming
from ccr.entrypoints.http.replies import send_answer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Container

    from litestar.types import Receive, Scope, Send

    from ccr.application.call import Answer
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.gateway import Gateway
    from ccr.application.ports.system import Clock
    from ccr.entrypoints.http.guard import Admitted

__all__ = ["ModelEndpoint", "Serve", "model_routes"]


Serve: TypeAlias = "Callable[[Call], Awaitable[Answer]]"


@define(eq=False)
class ModelEndpoint:
    """One path of one dialect."""

    operation: Operation
    dialect: str
    serve: Serve
    catalog: CatalogHolder
    clock: Clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises GatewayError for the guard to render."""
        request: Any = scope
        admitted: Admitted = request["ccr"]
        if request["method"] != "POST":
            raise WrongMethodError(
                f"{request['method']} is not allowed at {admitted.path}", allowed=("POST",)
            )
        incoming = Incoming(receive, self.catalog.current.settings.limits)
        call = Call(
            operation=self.operation,
            dialect=self.dialect,
            path=admitted.path,
            headers=admitted.headers,
            principal=admitted.principal,
            request_id=admitted.request_id,
            load=incoming.load,
            disconnect=incoming.disconnect,
            received=self.clock.monotonic(),
            query=request["query_string"].decode("latin-1"),
        )
        answer: Answer | None = None
        limit = self.catalog.current.settings.timeouts.send
        try:
            answer = await self.serve(call)
            # Where the kernel closes such a connection it is left the first say: we can only stop writing.
            await send_answer(send, answer, limit and 2 * limit)
        except ClientGoneError:
            return
        finally:
            incoming.close()
            if answer is not None and answer.close is not None:
                await answer.close()


def model_routes(
    gateway: Gateway, catalog: CatalogHolder, clock: Clock, dialects: Container[str]
) -> dict[str, ModelEndpoint]:
    """Return every model endpoint with a path of its own; those with the model in the path are in ``collections``."""
    generate, count = gateway.handle_call, gateway.count_tokens
    told: dict[str, tuple[Operation, str, Serve]] = {
        "/v1/messages": (Operation.GENERATE, "anthropic", generate),
        "/v1/messages/count_tokens": (Operation.COUNT, "anthropic", count),
        "/v1/chat/completions": (Operation.GENERATE, "openai_chat", generate),
        "/v1/responses": (Operation.GENERATE, "openai_responses", generate),
        "/v1/responses/input_tokens": (Operation.COUNT, "openai_responses", count),
    }
    return {
        path: ModelEndpoint(operation, dialect, serve, catalog, clock)
        for path, (operation, dialect, serve) in told.items()
        if dialect in dialects
    }
