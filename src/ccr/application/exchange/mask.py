"""Our key must not go out in a provider's words, wherever it says them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.domain.errors import GatewayError

__all__ = ["MASK", "mask_body", "mask_error"]

MASK = "***"
_LEAST = 8
"""Characters from which a text can be a secret: people give local servers `ollama` or `none` for a key, and those are words."""


def mask_body(body: bytes, secrets: Sequence[str]) -> bytes:
    """Return an error body without our keys; untouched if none occurs."""
    for secret in secrets:
        if len(secret) >= _LEAST:
            body = body.replace(secret.encode(), MASK.encode())
    return body


def mask_error(error: GatewayError, secrets: Sequence[str]) -> None:
    """Take our keys out of an error's sentence, in place."""
    for secret in secrets:
        if len(secret) >= _LEAST and secret in error.message:
            error.message = error.message.replace(secret, MASK)
            error.args = (error.message,)
