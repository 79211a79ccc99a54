"""The served OpenAPI document: Litestar describes its own handlers, the raw model endpoints are described here by hand.

``@asgi`` handlers are absent from Litestar's schema and answer every method (measured): a test compares this document
with the route table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from litestar import Litestar, get
from litestar.openapi import OpenAPIConfig

from ccr.entrypoints.http.openapi_models import MODEL_PATHS

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["document", "openapi_handlers"]

_ERROR = {
    "type": "object",
    "required": ["type", "error"],
    "properties": {
        "type": {"const": "error"},
        "error": {
            "type": "object",
            "required": ["type", "message"],
            "properties": {"type": {"type": "string"}, "message": {"type": "string"}},
        },
        "request_id": {"type": "string"},
    },
}


_TEXT = {"type": "string"}
_OPENAI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type"],
            "properties": {
                "message": _TEXT,
                "type": _TEXT,
                "code": {"type": ["string", "integer", "null"]},
                "param": {"type": ["string", "null"]},
            },
        }
    },
}
_GEMINI_ERROR = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code", "message", "status"],
            "properties": {"code": {"type": "integer"}, "message": _TEXT, "status": _TEXT},
        }
    },
}


def document(described: Litestar) -> dict[str, Any]:
    """Return the whole document; ``described`` is the application with Litestar's own description switched on."""
    schema = described.openapi_schema.to_schema()
    own = {path: item for path, item in schema.get("paths", {}).items() if not path.startswith("/schema")}
    schema["paths"] = dict(sorted({**own, **MODEL_PATHS}.items()))
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {}).update(
        Error=_ERROR, OpenAIError=_OPENAI_ERROR, GeminiError=_GEMINI_ERROR
    )
    for item in own.values():
        _own_errors(item)
    components["securitySchemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    schema["security"] = [{"key": []}, {"bearer": []}]
    return schema


def _own_errors(item: dict[str, Any]) -> None:
    """Say what our errors look like in place of what the framework's would."""
    for operation in item.values():
        for status, response in operation.get("responses", {}).items():
            if status.startswith("4"):
                response["content"] = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}


def openapi_handlers(handlers: Sequence[Any], version: str) -> Sequence[Any]:
    """Return the handler that describes ``handlers``.

    Litestar serves pages of its own with every description (``/schema``), so the application that serves has none, and
    one that is never served is made when somebody asks.
    """

    @cache
    def described() -> dict[str, Any]:
        config = OpenAPIConfig(title="ccr", version=version)
        return document(Litestar(route_handlers=handlers, openapi_config=config))

    @get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        """Describe our own API."""
        return described()

    return (openapi,)
