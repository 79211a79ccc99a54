"""Reads the credentials that a request shows."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from ccr.application.ports.identity import Presented

if TYPE_CHECKING:
    from ccr.application.call import Headers

__all__ = ["present"]

_SCHEME = "bearer"


_PARAMETER = b"key="


def present(headers: Headers, query: bytes = b"") -> Presented:
    """Take ``Authorization: Bearer T`` (or a bare token, as the ancestor did) and a key.

    A key comes in ``x-api-key``, or where Gemini's clients put it: ``x-goog-api-key``, ``?key=``.
    """
    key = headers.get("x-api-key") or headers.get("x-goog-api-key")
    if key is None and _PARAMETER in query:
        key = next(iter(parse_qs(query.decode("latin-1")).get("key", ())), None)
    return Presented(bearer=_token(headers.get("authorization")), api_key=key)


def _token(value: str | None) -> str | None:
    if value is None:
        return None
    scheme, _, rest = value.strip().partition(" ")
    if scheme.lower() == _SCHEME:
        return rest.strip()
    return value.strip()
