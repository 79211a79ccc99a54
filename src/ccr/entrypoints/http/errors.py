"""Renders errors in the dialect of the path that was called."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from attrs import define

from ccr.domain.errors import (
    BodyTooLargeError,
    GatewayError,
    InternalError,
    InvalidRequestError,
    NoSuchPathError,
    WrongMethodError,
)
from ccr.entrypoints.http.replies import send_body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from litestar import Request, Response
    from litestar.types import Receive, Scope, Send

    from ccr.application.ports.dialect import ClientDialect

__all__ = ["ErrorWriter", "gateway_error"]

_STATUS = {"misdirected": 421, "unsupported_media": 415}
"""Refusals that only HTTP knows."""

_LINGER = 5.0
_MOST_LINGERED = 64 * 1024 * 1024
_NOT_FOUND, _WRONG_METHOD, _FIRST_SERVER_ERROR = 404, 405, 500


@define(eq=False)
class ErrorWriter:
    """Knows the client dialects by name; paths that belong to none get ``default``'s shape."""

    clients: Mapping[str, ClientDialect]
    default: str

    def render(self, error: GatewayError, request_id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
        """Return status, headers and body."""
        status, headers, body = self.clients[self.default].encode_error(error, request_id)
        return _STATUS.get(error.kind, status), headers, body

    async def send(
        self, scope: Scope, receive: Receive, send: Send, error: GatewayError, request_id: str, *, begun: bool
    ) -> None:
        """Send it, unless a reply has begun. A body that was refused unread is read away for a while, so that the
        client sees the answer instead of a reset connection.
        """
        if begun:
            return
        status, headers, body = self.render(error, request_id)
        if isinstance(error, WrongMethodError) and error.allowed:
            headers = (*headers, ("allow", ", ".join(error.allowed)))
        head = scope.get("method") == "HEAD"
        await send_body(send, status, headers, body, head=head)
        if isinstance(error, BodyTooLargeError):
            await _read_away(receive)


async def _read_away(receive: Receive) -> None:
    size = 0
    try:
        async with asyncio.timeout(_LINGER):
            while size < _MOST_LINGERED:
                message = await receive()
                if message["type"] != "http.request" or not message["more_body"]:
                    return
                size += len(message["body"])
    except TimeoutError:
        return


def gateway_error(status: int, detail: str, path: str, method: str) -> GatewayError:
    """Say in our words what a framework's HTTP exception says."""
    if status == _NOT_FOUND:
        return NoSuchPathError(f"nothing lives at {path}")
    if status == _WRONG_METHOD:
        return WrongMethodError(f"{method} is not allowed at {path}")
    if status >= _FIRST_SERVER_ERROR:
        return InternalError("an internal error")
    return InvalidRequestError(detail)


def framework_handler(writer: ErrorWriter) -> Any:
    """Return a Litestar exception handler that renders through ``writer``."""
    from litestar import Response  # the framework is imported by the HTTP face only

    def handle(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
        admitted = request.scope["ccr"]  # type: ignore[typeddict-item]
        known = error if isinstance(error, GatewayError) else _foreign(request, error)
        status, headers, body = writer.render(known, admitted.request_id)
        return Response(
            body, status_code=status, headers=dict(headers), media_type=dict(headers).get("content-type")
        )

    return handle


def _foreign(request: Request[Any, Any, Any], error: Exception) -> GatewayError:
    status = int(getattr(error, "status_code", 500))
    if status >= _FIRST_SERVER_ERROR:
        raise error
    return gateway_error(status, str(getattr(error, "detail", "")), request.url.path, request.method)
