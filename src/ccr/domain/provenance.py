"""Whose opaque state a piece of content carries, and whom it may be given back to.

A provider's decoder makes seals with ``Origin(dialect)``; the walk stamps them with provider and model (``stamped``). A
client dialect carries them wrapped (``adapters/wire/envelope.py``) where its client keeps such state, and reads them back.
Before a request is written for a target, what may not go there is taken off (``may_return``), statelessly.
"""

from __future__ import annotations

from ccr.domain.value import value

__all__ = ["Origin", "Seal", "may_return", "stamped"]


@value
class Origin:
    """Who made sealed content. Empty strings = unknown."""

    dialect: str
    provider: str = ""
    model: str = ""
    account: str = ""


@value
class Seal:
    """Opaque state beside a block: a signature, encrypted reasoning, a thought signature.

    ``form`` says what it is (``signature``, ``redacted``, ...); ``data`` is carried byte for byte, never parsed.
    """

    origin: Origin
    form: str
    data: str


def stamped(seal: Seal, origin: Origin) -> Seal:
    """Return a seal that says who made it, if it is of that dialect and does not say so yet."""
    if seal.origin.provider or seal.origin.dialect != origin.dialect:
        return seal
    return Seal(origin, seal.form, seal.data)


def may_return(seal: Seal, dialect: str, provider: str) -> bool:
    """Whether sealed content may be sent to a provider: it speaks that dialect, and is who made it.

    A seal without a provider came bare from a client, as its own provider wrote it on the relay path: only its dialect
    is known.
    """
    origin = seal.origin
    return origin.dialect == dialect and origin.provider in ("", provider)
