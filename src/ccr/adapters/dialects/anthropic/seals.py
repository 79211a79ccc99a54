"""Signatures: Anthropic's own go home byte for byte, another dialect's are carried for it by the client.

A Claude Code client keeps the ``signature`` of a thinking block and sends it back. A seal of another dialect is written
into it behind a mark of ours with its origin, so that on the way back it is recognised, given to whom it belongs and
never to Anthropic (user-pains P10, P12).
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.wire import json
from ccr.domain.provenance import Origin, Seal

__all__ = ["FOREIGN", "REDACTED", "SIGNATURE", "is_home", "read_seal", "write_seal"]

SIGNATURE = "signature"
REDACTED = "redacted"

_MARK = "ccr1."
FOREIGN = b'"ccr1.'
"""How a signature with our mark begins in a request's text."""
_HOME = Origin(DIALECT)


def is_home(seal: Seal) -> bool:
    """Whether a seal was made by this dialect."""
    return seal.origin.dialect == DIALECT


def read_seal(form: str, data: str) -> Seal:
    """Return the seal that a client brings back; a mark that is not ours to read is data."""
    if data.startswith(_MARK):
        head, _, rest = data[len(_MARK) :].partition(".")
        found = _header(head)
        if found is not None:
            dialect, provider, model, account, foreign = found
            return Seal(Origin(dialect, provider, model, account), foreign, rest)
    return Seal(_HOME, form, data)


def write_seal(seal: Seal) -> str:
    """Return the text of a ``signature``."""
    if is_home(seal):
        return seal.data
    origin = seal.origin
    header = json.encode([origin.dialect, origin.provider, origin.model, origin.account, seal.form])
    return f"{_MARK}{urlsafe_b64encode(header).decode()}.{seal.data}"


def _header(text: str) -> list[str] | None:
    try:
        found = json.decode(urlsafe_b64decode(text))
    except ValueError:
        return None
    if isinstance(found, list) and len(found) == 5 and all(isinstance(part, str) for part in found):
        return found
    return None
