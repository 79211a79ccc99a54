"""The model endpoints, described by hand: raw ASGI is absent from Litestar's own description."""

from __future__ import annotations

from typing import Any

__all__ = ["MODEL_PATHS"]

_FAILURES = {
    "400": "The request is malformed, names an unknown model, or is too long for it",
    "401": "No key, or one that is not known",
    "403": "Not allowed",
    "404": "There is no such model",
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


_ANTHROPIC, _OPENAI, _GEMINI = "Error", "OpenAIError", "GeminiError"
"""Schemas of errors (``openapi.py``): each path answers in the shape of its own API."""


def _failures(*shapes: str) -> dict[str, Any]:
    refs = [{"$ref": f"#/components/schemas/{shape}"} for shape in shapes]
    content = {"application/json": {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}
    return {status: {"description": text, "content": content} for status, text in _FAILURES.items()}


_OPEN = {"type": ["string", "array"]}
_FLAG = {"type": "boolean"}
_MODEL = {"type": "string", "minLength": 1, "description": "A model name, or provider,model"}
_OBJECTS = {"type": "array", "items": {"type": "object"}}
_MESSAGES = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["role"],
        "properties": {
            "role": {"enum": ["user", "assistant", "system", "developer", "tool", "function"]},
            "content": {"type": ["string", "array", "null"]},
        },
    },
}


def _request(*required: str, **properties: Any) -> dict[str, Any]:
    """Requests are open lists: what we do not know is passed on."""
    schema = {
        "type": "object",
        "required": list(required),
        "additionalProperties": True,
        "properties": properties,
    }
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_MESSAGES_REQUEST = _request(
    "model",
    "messages",
    model=_MODEL,
    max_tokens={"type": "integer", "minimum": 1},
    messages=_MESSAGES,
    system=_OPEN,
    tools=_OBJECTS,
    stream=_FLAG,
)
_CHAT_REQUEST = _request("model", "messages", model=_MODEL, messages=_MESSAGES, tools=_OBJECTS, stream=_FLAG)
_RESPONSES_REQUEST = _request(
    "model",
    "input",
    model=_MODEL,
    input=_OPEN,
    instructions={"type": ["string", "null"]},
    tools=_OBJECTS,
    stream=_FLAG,
)
_GEMINI_REQUEST = _request("contents", contents=_OBJECTS, tools=_OBJECTS, generationConfig={"type": "object"})


def _generates(
    operation: str, summary: str, body: dict[str, Any], errors: str, *, framings: tuple[str, ...]
) -> dict[str, Any]:
    content: dict[str, Any] = {framing: {"schema": {"type": "string"}} for framing in framings}
    content["application/json"] = {"schema": {"type": ["object", "array"]}}
    return {
        "operationId": operation,
        "summary": summary,
        "requestBody": body,
        "responses": {
            "200": {"description": "The reply; as events when it is streamed", "content": content},
            **_failures(errors),
        },
    }


def _counts(operation: str, body: dict[str, Any], errors: str, field: str) -> dict[str, Any]:
    schema = {"type": "object", "required": [field], "properties": {field: {"type": "integer", "minimum": 0}}}
    return {
        "operationId": operation,
        "summary": "Count the input tokens of a request",
        "requestBody": body,
        "responses": {
            "200": {"description": "The count", "content": {"application/json": {"schema": schema}}},
            **_failures(errors),
        },
    }


def _reads(operation: str, summary: str) -> dict[str, Any]:
    schema = {"schema": {"type": "object"}}
    return {
        "operationId": operation,
        "summary": summary,
        "responses": {
            "200": {
                "description": "In the shape of the caller's API",
                "content": {"application/json": schema},
            },
            **_failures(_ANTHROPIC, _OPENAI, _GEMINI),
        },
    }


_SSE = ("text/event-stream",)
_NAME = {
    "name": "model",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "May hold commas, slashes and colons",
}


def _collection(prefix: str, tag: str) -> dict[str, dict[str, Any]]:
    at = f"{prefix}/{{model}}"

    def action(name: str, operation: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        return f"{at}:{name}", {"post": {"parameters": [_NAME], **operation}}

    return dict(
        (
            (prefix, {"get": _reads(f"list_models{tag}", "List the models")}),
            (at, {"get": {"parameters": [_NAME], **_reads(f"get_model{tag}", "Describe one model")}}),
            action(
                "generateContent",
                _generates(
                    f"generate_content{tag}",
                    "Generate a reply (Gemini)",
                    _GEMINI_REQUEST,
                    _GEMINI,
                    framings=(),
                ),
            ),
            action(
                "streamGenerateContent",
                _generates(
                    f"stream_generate_content{tag}",
                    "Stream a reply (Gemini); as SSE with ?alt=sse, else as a JSON array",
                    _GEMINI_REQUEST,
                    _GEMINI,
                    framings=_SSE,
                ),
            ),
            action(
                "countTokens", _counts(f"count_gemini_tokens{tag}", _GEMINI_REQUEST, _GEMINI, "totalTokens")
            ),
        )
    )


MODEL_PATHS: dict[str, dict[str, Any]] = {
    "/v1/messages": {
        "post": _generates(
            "messages", "Generate a reply (Anthropic Messages)", _MESSAGES_REQUEST, _ANTHROPIC, framings=_SSE
        )
    },
    "/v1/messages/count_tokens": {
        "post": _counts("count_tokens", _MESSAGES_REQUEST, _ANTHROPIC, "input_tokens")
    },
    "/v1/chat/completions": {
        "post": _generates(
            "chat_completions",
            "Generate a reply (OpenAI chat completions)",
            _CHAT_REQUEST,
            _OPENAI,
            framings=_SSE,
        )
    },
    "/v1/responses": {
        "post": _generates(
            "responses", "Generate a reply (OpenAI Responses)", _RESPONSES_REQUEST, _OPENAI, framings=_SSE
        )
    },
    "/v1/responses/input_tokens": {
        "post": _counts("count_response_tokens", _RESPONSES_REQUEST, _OPENAI, "input_tokens")
    },
    **_collection("/v1/models", ""),
    **_collection("/v1beta/models", "_beta"),
}
