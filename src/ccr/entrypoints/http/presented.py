"""Reads the credentials that a request shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.application.ports.identity import Presented

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = ["present"]

_SCHEME = "bearer"


def present(headers: Headers) -> Presented:
    """Take ``Authorization: Bearer T`` (or a bare token, as the ancestor did) and ``x-api-key``."""
    return Presented(bearer=_token(headers.get("authorization")), api_key=headers.get("x-api-key"))


def _token(value: str | None) -> str | None:
    if value is None:
        return None
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == _SCHEME:
        return rest.strip()
    return value.strip()
