"""Errors, both ways: OpenAI's envelope, and the events and bodies of the Responses API that say that a reply failed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, Wire, WireEvent, WireResponse, absent
from ccr.adapters.wire import json, openai_errors
from ccr.domain.errors import GatewayError, UpstreamUnavailableError

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = ["decode_error", "encode_error", "error_in_event", "error_in_response", "failure"]

_ENVELOPES = frozenset({NAME, "openai_chat"})
"""Dialects whose error replies a client of this one can read."""


def decode_error(status: int, headers: Headers, body: bytes, *, provider: str) -> GatewayError:
    """Say what an error reply means. ``error.upstream`` keeps the reply, at most 64 KiB of it."""
    return openai_errors.decode_error(status, headers, body, provider=provider, dialect=NAME)


def encode_error(error: GatewayError, request_id: str) -> tuple[int, tuple[tuple[str, str], ...], bytes]:
    """Return status, headers and body."""
    return openai_errors.encode_error(error, request_id, _ENVELOPES)


def failure(error: GatewayError) -> Wire:
    """Return the ``error`` of a response that failed: Codex reads the code, and from the words how long to wait."""
    message = openai_errors.shown_message(error)
    code = openai_errors.code_of(error) or "server_error"
    if code == "rate_limit_exceeded" and error.retry_after is not None and "try again in" not in message:
        message = f"{message} Please try again in {math.ceil(error.retry_after)}s."
    return {"code": code, "message": message}


def error_in_event(event: WireEvent) -> GatewayError:
    """Return what an ``error`` event means; its fields stand in it or, as some write it, in an ``error`` object."""
    if not absent(event.error):
        return openai_errors.said_in_reply(json.decode(event.error))
    return openai_errors.said_in_reply({"code": event.code, "message": event.message})


def error_in_response(response: WireResponse) -> GatewayError | None:
    """Return the error of a response, None if it did not fail."""
    if not absent(response.error):
        return openai_errors.said_in_reply(json.decode(response.error))
    if response.status in ("failed", "cancelled"):
        return UpstreamUnavailableError(f"the provider gave the reply up ({response.status})")
    return None
