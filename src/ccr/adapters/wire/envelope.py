"""Seals in text: how a client that knows nothing of other providers carries their opaque state for us.

A seal is written as ``ccr1.<header>.<data>``; the header (base64url JSON) names dialect, provider, model, account and
form. Whatever replica reads it back knows whose it is, without a store (user-pains P10, P12).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from ccr.adapters.wire import json
from ccr.domain.provenance import Origin, Seal

__all__ = ["FOREIGN", "MARK", "unwrap", "wrap"]

MARK = "ccr1."
FOREIGN = b'"ccr1.'
"""How a text with our mark begins in a request's JSON."""


def wrap(seal: Seal) -> str:
    """Return the seal as printable ASCII, if its data are."""
    origin = seal.origin
    header = json.encode([origin.dialect, origin.provider, origin.model, origin.account, seal.form])
    return f"{MARK}{urlsafe_b64encode(header).decode()}.{seal.data}"


def unwrap(text: str) -> Seal | None:
    """Return the seal in a text; None if it is not one of ours, or not ours to read."""
    if not text.startswith(MARK):
        return None
    head, _, rest = text[len(MARK) :].partition(".")
    found = _header(head)
    if found is None:
        return None
    dialect, provider, model, account, form = found
    return Seal(Origin(dialect, provider, model, account), form, rest)


def _header(text: str) -> list[str] | None:
    try:
        found = json.decode(urlsafe_b64decode(text))
    except ValueError:
        return None
    if isinstance(found, list) and len(found) == 5 and all(isinstance(part, str) for part in found):
        return found
    return None
