"""Errors for our client: the table of house.md 3.8, column OpenAI."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json, openai_errors

if TYPE_CHECKING:
    from ccr.domain.errors import GatewayError

__all__ = ["encode_error", "error_data"]

_SHARED = frozenset({NAME, "openai_responses"})
"""Dialects whose error bodies are alike: each client is given the other's as it came."""


def encode_error(error: GatewayError, request_id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body; a provider's own error reply in this envelope goes out unmodified."""
    return openai_errors.encode_error(error, request_id, _SHARED)


def error_data(error: GatewayError) -> bytes:
    """Return the data of an error inside a stream."""
    return json.encode_wire({"error": openai_errors.error_fields(error)})
