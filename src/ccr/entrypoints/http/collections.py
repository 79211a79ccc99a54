"""``/v1/models`` and ``/v1beta/models``: the list, one model, and what is asked of a model by its name in the path.

Mounts, because a model's name may hold slashes, commas and colons (``openrouter,anthropic/claude:beta``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define
from litestar.serialization import encode_json

from ccr.application.call import Operation
from ccr.domain.errors import NoSuchPathError, WrongMethodError
from ccr.entrypoints.http.model_list import Shape, shape_of
from ccr.entrypoints.http.models import ModelEndpoint, Serve
from ccr.entrypoints.http.replies import send_body

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from litestar.types import Receive, Scope, Send

    from ccr.application.catalog.holder import CatalogHolder
    from ccr.application.gateway import Gateway
    from ccr.application.ports.system import Clock
    from ccr.entrypoints.http.guard import Admitted

__all__ = ["ACTIONS", "ModelCollection", "model_collections"]

ACTIONS = {
    "generateContent": Operation.GENERATE,
    "streamGenerateContent": Operation.GENERATE,
    "countTokens": Operation.COUNT,
}
"""What may stand after the last colon of a path."""

_READS = ("GET", "HEAD")
_JSON = (("content-type", "application/json"),)


@define(eq=False)
class ModelCollection:
    """One of the two collections. ``prefix`` has no slash at its end."""

    prefix: str
    gateway: Gateway
    actions: Mapping[str, ModelEndpoint]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. Raises GatewayError for the guard to render."""
        request: Any = scope
        admitted: Admitted = request["ccr"]
        name = admitted.path.removeprefix(self.prefix).strip("/")
        _, colon, action = name.rpartition(":")
        endpoint = self.actions.get(action) if colon else None
        if endpoint is not None:
            await endpoint(scope, receive, send)
            return
        if request["method"] not in _READS:
            if colon:
                raise NoSuchPathError(f"nothing lives at {admitted.path}: known are {', '.join(ACTIONS)}")
            raise WrongMethodError(f"{request['method']} is not allowed at {admitted.path}", allowed=_READS)
        shape = shape_of(self.prefix, admitted.headers, request["query_string"])
        body = encode_json(self._read(shape, name, admitted))
        await send_body(send, 200, _JSON, body, head=request["method"] == "HEAD")

    def _read(self, shape: Shape, name: str, admitted: Admitted) -> object:
        entries = self.gateway.list_models(admitted.principal)
        if not name:
            return shape.all(entries)
        wanted = name.removeprefix("models/")
        found = next((entry for entry in entries if entry.id == wanted), None)
        if found is None:
            raise NoSuchPathError(f"no model of that name: {admitted.path}; GET {self.prefix} lists them")
        return shape.one(found)


def model_collections(
    gateway: Gateway, catalog: CatalogHolder, clock: Clock, dialects: Container[str]
) -> dict[str, ModelCollection]:
    """Return both collections by their path."""
    serve: dict[Operation, Serve] = {
        Operation.GENERATE: gateway.handle_call,
        Operation.COUNT: gateway.count_tokens,
    }
    actions = {
        action: ModelEndpoint(operation, "gemini", serve[operation], catalog, clock)
        for action, operation in ACTIONS.items()
        if "gemini" in dialects
    }
    return {prefix: ModelCollection(prefix, gateway, actions) for prefix in ("/v1/models", "/v1beta/models")}
