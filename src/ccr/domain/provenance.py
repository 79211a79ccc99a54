"""Whose opaque state a piece of content carries, and whom it may be given back to."""

from __future__ import annotations

from ccr.domain._value import value

__all__ = ["Origin", "Seal"]


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
