"""``GET /v1/models``, in the shape that the caller's headers ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from litestar import Request, get

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.gateway import Gateway
    from ccr.application.serving.list_models import ModelEntry

__all__ = ["model_list_handlers"]

_EPOCH = "1970-01-01T00:00:00Z"
"""Release dates are not known; the official SDK wants one."""


def model_list_handlers(gateway: Gateway) -> Sequence[Any]:
    """Return the handler."""

    @get("/v1/models", operation_id="list_models")
    async def list_models(request: Request[Any, Any, Any]) -> dict[str, Any]:
        """List models: Anthropic's shape for callers that send ``anthropic-version`` or ``x-api-key``, else OpenAI's."""
        admitted = request.scope["ccr"]  # type: ignore[typeddict-item]
        entries = gateway.list_models(admitted.principal)
        headers = admitted.headers
        if (
            "anthropic-version" in headers
            or "x-api-key" in headers
            or "claude" in headers.get("user-agent", "")
        ):
            return _anthropic(entries)
        return _openai(entries)

    return (list_models,)


def _anthropic(entries: Sequence[ModelEntry]) -> dict[str, Any]:
    data = [
        {
            "type": "model",
            "id": entry.id,
            "display_name": entry.name,
            "created_at": _EPOCH,
            "max_input_tokens": entry.window,
            "max_tokens": entry.max_output,
        }
        for entry in entries
    ]
    first, last = (entries[0].id, entries[-1].id) if entries else (None, None)
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def _openai(entries: Sequence[ModelEntry]) -> dict[str, Any]:
    data = [{"id": entry.id, "object": "model", "created": 0, "owned_by": entry.owner} for entry in entries]
    return {"object": "list", "data": data}
