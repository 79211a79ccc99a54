"""A fixed key in a header."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from ccr.application.ports.hosting import CredentialSource
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.secret import Secret

__all__ = ["StaticKey", "static_key"]

_HEADERS = {"bearer": ("authorization", "Bearer "), "x-api-key": ("x-api-key", "")}


@frozen(eq=False)
class StaticKey:
    """Sends ``secret`` as a bearer token or as ``x-api-key``; nothing if there is no key or the kind is ``none``."""

    kind: str
    secret: Secret | None

    async def authorize(self, request: UpstreamRequest) -> UpstreamRequest:
        """Return the request with the key."""
        if not self.secret or self.kind not in _HEADERS:
            return request
        name, prefix = _HEADERS[self.kind]
        return evolve(request, headers=(*request.headers, (name, prefix + self.secret.reveal())))

    def secrets(self) -> tuple[str, ...]:
        """Return the key's text, for masking."""
        return (self.secret.reveal(),) if self.secret else ()


def static_key(kind: str, keys: Sequence[Secret]) -> CredentialSource:
    """Make a source of the first key."""
    return StaticKey(kind, keys[0] if keys else None)
