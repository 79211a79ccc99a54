"""Errors of providers that speak chat completions: OpenAI's envelope, and errors that hide inside a 200."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.wire import NAME, Chunk
from ccr.adapters.wire import openai_errors

if TYPE_CHECKING:
    from ccr.application.call import Headers
    from ccr.domain.errors import GatewayError

__all__ = ["decode_error", "error_in_reply"]


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
    """Say what an error reply means. ``error.upstream`` keeps the reply, at most 64 KiB of it."""
    return openai_errors.decode_error(status, headers, body, provider=provider, dialect=NAME)


def error_in_reply(chunk: Chunk) -> GatewayError | None:
    """Return the error that a 200 hid, None if there is none (OpenRouter and relays; P6)."""
    said = chunk.error
    if not said and chunk.choices:
        said = chunk.choices[0].error
    if not said and chunk.x_groq is not None and isinstance(chunk.x_groq, Mapping):
        said = chunk.x_groq.get("error")
    if said:
        return openai_errors.said_in_reply(said)
    if chunk.choices is None and chunk.usage is None and (chunk.code or chunk.msg or chunk.message):
        # A "fake 200": {"code": 1234, "msg": "..."} (DashScope, Zhipu and relays).
        return openai_errors.said_in_reply({"code": chunk.code, "message": chunk.message or chunk.msg})
    return None
