"""The served OpenAPI document: Litestar describes its own handlers, the raw model endpoints are described here by hand.

``@asgi`` handlers are absent from Litestar's schema and answer every method (measured): a test compares this document
with the route table.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from litestar import Litestar, get
from litestar.openapi import OpenAPIConfig

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MODEL_PATHS", "document", "openapi_handlers"]

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
_FAILURES = {
    "400": "The request is malformed, names an unknown model, or is too long for it",
    "401": "No key, or one that is not known",
    "403": "Not allowed",
    "405": "Only POST",
    "413": "The body is too large",
    "415": "Not JSON, or compressed",
    "421": "This Host is not served here",
    "429": "A limit of the provider or of ours",
    "500": "A fault of ours",
    "502": "The provider answered badly or refused our key",
    "503": "The provider cannot be reached",
    "504": "The provider did not answer in time",
    "529": "Overloaded, or about to stop",
}


def _failures() -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    return {status: {"description": text, "content": content} for status, text in _FAILURES.items()}


def _message_request(*required: str) -> dict[str, Any]:
    """Requests are open lists: what we do not know is passed on."""
    return {
        "type": "object",
        "required": list(required),
        "additionalProperties": True,
        "properties": {
            "model": {"type": "string", "minLength": 1, "description": "A model name, or provider,model"},
            "max_tokens": {"type": "integer", "minimum": 1},
            "messages": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["role", "content"],
                    "properties": {
                        "role": {"enum": ["user", "assistant", "system"]},
                        "content": {"type": ["string", "array"]},
                    },
                },
            },
            "system": {"type": ["string", "array"]},
            "tools": {"type": "array", "items": {"type": "object"}},
            "stream": {"type": "boolean"},
        },
    }


MODEL_PATHS: dict[str, dict[str, Any]] = {
    "/v1/messages": {
        "post": {
            "operationId": "messages",
            "summary": "Generate a reply (Anthropic Messages)",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _message_request("model", "messages")}},
            },
            "responses": {
                "200": {
                    "description": "The reply; as events when stream is true",
                    "content": {
                        "application/json": {"schema": {"type": "object"}},
                        "text/event-stream": {"schema": {"type": "string"}},
                    },
                },
                **_failures(),
            },
        }
    },
    "/v1/messages/count_tokens": {
        "post": {
            "operationId": "count_tokens",
            "summary": "Count the input tokens of a request",
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": _message_request("model", "messages")}},
            },
            "responses": {
                "200": {
                    "description": "The count",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["input_tokens"],
                                "properties": {"input_tokens": {"type": "integer", "minimum": 0}},
                            }
                        }
                    },
                },
                **_failures(),
            },
        }
    },
}


def document(described: Litestar) -> dict[str, Any]:
    """Return the whole document; ``described`` is the application with Litestar's own description switched on."""
    schema = described.openapi_schema.to_schema()
    own = {path: item for path, item in schema.get("paths", {}).items() if not path.startswith("/schema")}
    schema["paths"] = dict(sorted({**own, **MODEL_PATHS}.items()))
    components = schema.setdefault("components", {})
    components.setdefault("schemas", {})["Error"] = _ERROR
    components["securitySchemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    schema["security"] = [{"key": []}, {"bearer": []}]
    return schema


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
