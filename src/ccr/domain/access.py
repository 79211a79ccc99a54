"""Who calls."""

from __future__ import annotations

from ccr.domain.value import value

__all__ = ["ANONYMOUS", "LOCAL", "Principal"]


@value
class Principal:
    """A caller we know: ``id`` is stable and not secret. ``admin`` = may use the admin API; ``models`` are globs over
    ``provider,model`` that it may use, empty = all.
    """

    id: str
    admin: bool = False
    models: tuple[str, ...] = ()


LOCAL = Principal("local", admin=True)
"""The one person of a gateway without keys on loopback, or the embedding program."""

ANONYMOUS = Principal("anonymous")
"""Somebody without a credential, on the open paths only."""
