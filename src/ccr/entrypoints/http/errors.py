"""Renders errors in the dialect of the path that was called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import define

from ccr.domain.errors import (
    ClientGoneError,
    GatewayError,
    InternalError,
    InvalidRequestError,
    NoSuchPathError,
    WrongMethodError,
)
from ccr.entrypoints.http.replies import send_body

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from litestar import Request, Response
    from litestar.types import Scope, Send

    from ccr.application.ports.dialect import ClientDialect

__all__ = ["ErrorWriter", "gateway_error"]

_GEMINI = "gemini"
_DIALECTS = (
    ("/v1/chat/", "openai_chat"),
    ("/v1/responses", "openai_responses"),
    ("/v1beta/", _GEMINI),
)
_NOT_FOUND, _WRONG_METHOD, _FIRST_SERVER_ERROR = 404, 405, 500


@define(eq=False)
class ErrorWriter:
    """Knows the client dialects by name; paths that belong to none get ``default``'s shape."""

    clients: Mapping[str, ClientDialect]
    default: str

    def render(
        self, error: GatewayError, request_id: str, path: str
    ) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body, in the dialect that ``path`` belongs to."""
        dialect = next((name for prefix, name in _DIALECTS if path.startswith(prefix)), self.default)
        if dialect == self.default and path.startswith("/v1/models/") and ":" in path:
            dialect = _GEMINI
        client = self.clients.get(dialect, self.clients[self.default])
        status, headers, body = client.encode_error(error, request_id)
        return getattr(error, "http_status", status), headers, body

    async def send(self, scope: Scope, send: Send, error: GatewayError, request_id: str) -> None:
        """Send it; to a HEAD without its body."""
        status, headers, body = self.render(error, request_id, str(scope["path"]))
        await send_body(send, status, headers, body, head=scope.get("method") == "HEAD")


def gateway_error(
    status: int, detail: str, path: str, method: str, allowed: Sequence[str] = ()
) -> GatewayError:
    """Say in our words what a framework's HTTP exception says."""
    if status == _NOT_FOUND:
        return NoSuchPathError(f"nothing lives at {path}")
    if status == _WRONG_METHOD:
        return WrongMethodError(f"{method} is not allowed at {path}", allowed=allowed)
    if status >= _FIRST_SERVER_ERROR:
        return InternalError("an internal error")
    return InvalidRequestError(detail)


def framework_handler(writer: ErrorWriter) -> Any:
    """Return a Litestar exception handler that renders through ``writer``."""
    from litestar import Response  # the framework is imported by the HTTP face only

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        admitted = request.scope["ccr"]  # type: ignore[typeddict-item]
        if isinstance(error, ClientGoneError):
            raise error  # nobody is there, or the body makes no sense: the guard knows
        known = error if isinstance(error, GatewayError) else _foreign(request, error)
        status, headers, body = writer.render(known, admitted.request_id, admitted.path)
        return Response(
            body, status_code=status, headers=dict(headers), media_type=dict(headers).get("content-type")
        )

    return handle


def _foreign(request: Request[Any, Any, Any], error: Exception) -> GatewayError:
    status = int(getattr(error, "status_code", 500))
    if status >= _FIRST_SERVER_ERROR:
        raise error
    allow = (getattr(error, "headers", None) or {}).get("allow", "")
    allowed = tuple(name.strip() for name in allow.split(",") if name.strip())
    detail = str(getattr(error, "detail", ""))
    return gateway_error(status, detail, request.url.path, request.method, allowed)
