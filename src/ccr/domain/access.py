"""Who calls."""

from __future__ import annotations

from ccr.domain._value import value

__all__ = ["ANONYMOUS", "LOCAL", "Principal"]


@value
class Principal:
    """A caller we know: ``id`` is stable and not secret. ``admin`` = may use the admin API."""

    id: str
    admin: bool = False


LOCAL = Principal("local", admin=True)
"""The one person of a gateway without keys on loopback, or the embedding program."""

ANONYMOUS = Principal("anonymous")
"""Somebody without a credential, on the open paths only."""
