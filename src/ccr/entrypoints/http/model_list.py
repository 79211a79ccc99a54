"""Models as lists, in the shape that a caller knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from attrs import frozen

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.application.serving.list_models import ModelEntry

__all__ = ["Shape", "shape_of"]

_EPOCH = "1970-01-01T00:00:00Z"
"""Release dates are not known; the official SDK wants one."""

_METHODS = ["generateContent", "streamGenerateContent", "countTokens"]


@frozen
class Shape:
    """How a dialect writes one model, and all of them."""

    one: Callable[[ModelEntry], dict[str, Any]]
    all: Callable[[Sequence[ModelEntry]], dict[str, Any]]


def shape_of(prefix: str, headers: Headers, query: bytes) -> Shape:
    """Gemini's at its own path and for its key; Anthropic's for who sends its headers; else OpenAI's."""
    if (
        prefix.startswith("/v1beta")
        or "x-goog-api-key" in headers
        or "key" in parse_qs(query.decode("latin-1"))
    ):
        return _GEMINI
    if "anthropic-version" in headers or "x-api-key" in headers or "claude" in headers.get("user-agent", ""):
        return _ANTHROPIC
    return _OPENAI


def _anthropic(entry: ModelEntry) -> dict[str, Any]:
    return {
        "type": "model",
        "id": entry.id,
        "display_name": entry.name,
        "created_at": _EPOCH,
        "max_input_tokens": entry.window,
        "max_tokens": entry.max_output,
    }


def _anthropic_all(entries: Sequence[ModelEntry]) -> dict[str, Any]:
    first, last = (entries[0].id, entries[-1].id) if entries else (None, None)
    data = [_anthropic(entry) for entry in entries]
    return {"data": data, "has_more": False, "first_id": first, "last_id": last}


def _openai(entry: ModelEntry) -> dict[str, Any]:
    return {"id": entry.id, "object": "model", "created": 0, "owned_by": entry.owner}


def _openai_all(entries: Sequence[ModelEntry]) -> dict[str, Any]:
    return {"object": "list", "data": [_openai(entry) for entry in entries]}


def _gemini(entry: ModelEntry) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": f"models/{entry.id}",
        "displayName": entry.name,
        "supportedGenerationMethods": _METHODS,
    }
    if entry.window is not None:
        told["inputTokenLimit"] = entry.window
    if entry.max_output is not None:
        told["outputTokenLimit"] = entry.max_output
    return told


def _gemini_all(entries: Sequence[ModelEntry]) -> dict[str, Any]:
    return {"models": [_gemini(entry) for entry in entries]}


_ANTHROPIC = Shape(_anthropic, _anthropic_all)
_OPENAI = Shape(_openai, _openai_all)
_GEMINI = Shape(_gemini, _gemini_all)
