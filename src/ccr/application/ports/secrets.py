"""Secrets by reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccr.domain.secret import Secret

__all__ = ["SecretResolver"]


class SecretResolver(Protocol):
    """Looks a secret up."""

    def resolve(self, reference: str) -> Secret:
        """Return the secret for ``env:NAME`` or ``file:/path``. Raises LookupError naming what is missing, never its value."""
        ...
