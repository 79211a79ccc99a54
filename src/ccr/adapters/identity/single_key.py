"""One shared key (``APIKEY``), or none on loopback."""

from __future__ import annotations

import hashlib
import hmac

from ccr.application.ports.identity import Presented
from ccr.domain.access import LOCAL, Principal
from ccr.domain.secret import Secret

__all__ = ["SingleKey"]

_OWNER = Principal("owner", admin=True)


class SingleKey:
    """Accepts either credential. Compares digests, in constant time, both of them always (decision 9)."""

    def __init__(self, key: Secret | None) -> None:
        self.configure(key)

    def configure(self, key: Secret | None) -> None:
        """Use another key from now on; None = everybody who reaches us is the local person."""
        self._digest = _digest(key.reveal()) if key else None

    async def verify(self, presented: Presented) -> Principal | None:
        """Return the owner, or None."""
        if self._digest is None:
            return LOCAL
        by_bearer = hmac.compare_digest(_digest(presented.bearer or ""), self._digest)
        by_key = hmac.compare_digest(_digest(presented.api_key or ""), self._digest)
        return _OWNER if by_bearer | by_key else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
