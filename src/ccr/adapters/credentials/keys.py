"""A fixed key in a header."""

from __future__ import annotations

import re
from collections.abc import Sequence

from attrs import frozen

from ccr.application.ports.hosting import CredentialSource
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.secret import Secret
from ccr.domain.value import evolve

__all__ = ["FIXED", "StaticKey", "static_key", "with_key"]

_HEADERS = {
    "bearer": ("authorization", "Bearer "),
    "x-api-key": ("x-api-key", ""),
    "api-key": ("api-key", ""),
    "x-goog-api-key": ("x-goog-api-key", ""),
}

_API_KEY = "api-key"
_TOKEN = re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+")
"""A signed token (RFC 7519). Who takes an ``api-key`` is Azure, which takes a token of Entra as a bearer's only."""

FIXED = frozenset({*_HEADERS, "none"})
"""Kinds of a key that stays as it is."""


def with_key(request: UpstreamRequest, kind: str, key: str) -> UpstreamRequest:
    """Return the request with a key in the header of its kind. Raises KeyError for another kind."""
    name, prefix = _HEADERS[kind]
    return evolve(request, headers=(*request.headers, (name, prefix + key)))


@frozen(eq=False)
class StaticKey:
    """Sends ``secret`` in the header of its kind; nothing if there is no key or the kind is ``none``."""

    kind: str
    secret: Secret | None

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with the key."""
        if not self.secret or self.kind not in _HEADERS:
            return request
        text = self.secret.reveal()
        kind = "bearer" if self.kind == _API_KEY and _TOKEN.fullmatch(text) else self.kind
        return with_key(request, kind, text)

    def secrets(self) -> tuple[str, ...]:
        """Return the key's text, for masking."""
        return (self.secret.reveal(),) if self.secret else ()


def static_key(kind: str, keys: Sequence[Secret]) -> CredentialSource:
    """Make a source of the first key."""
    return StaticKey(kind, keys[0] if keys else None)
