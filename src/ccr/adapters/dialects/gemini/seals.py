"""Thought signatures: Gemini's own go home as they came, another's opaque state is carried for it by the client.

A client of this dialect keeps every part with its ``thoughtSignature``. That field is ``bytes``: official clients decode and
encode it as base64, so the envelope of another's seal (``adapters/wire/envelope.py``) stands in it as base64. Thinking that
the client is not shown goes with the seal, since most seals are worth nothing without it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from ccr.adapters.dialects.gemini.wire import NAME
from ccr.adapters.wire.envelope import MARK, unwrap, wrap
from ccr.domain.provenance import Origin, Seal

__all__ = [
    "CALL",
    "DUMMY",
    "FOREIGN",
    "HOME",
    "IMAGE",
    "TEXT",
    "THOUGHT",
    "is_bare",
    "is_dummy",
    "is_home",
    "read_seal",
    "write_seal",
]

CALL, TEXT, THOUGHT, IMAGE = "call", "text", "thought", "image"
"""Forms of a signature: the part that it stood on."""
FORMS = frozenset({CALL, TEXT, THOUGHT, IMAGE})

HOME = Origin(NAME)
DUMMY = "skip_thought_signature_validator"
"""Stands for the signature of a call that Gemini did not make (ai.google.dev/gemini-api/docs/thought-signatures)."""


FOREIGN = b'"Y2NyMS5'
"""How a signature with our mark begins in a request's JSON: base64 of ``ccr1.`` and of a header, which begins alike."""
_OPENING = b64encode(MARK.encode() + b"W")[:-1].decode()
_BEFORE_TEXT = "\x1f"


def is_home(seal: Seal) -> bool:
    """Whether a seal is a signature of this dialect."""
    return seal.origin.dialect == NAME and seal.form in FORMS


def is_bare(seal: Seal) -> bool:
    """Whether a seal came from a client as its own provider wrote it: nobody knows which provider that is."""
    return seal.origin == HOME and seal.form in FORMS


def read_seal(data: str, form: str) -> tuple[Seal, str]:
    """Return the seal in a ``thoughtSignature``, and the hidden thinking that goes with it."""
    if data.startswith(_OPENING):
        try:
            head, _, hidden = b64decode(data.translate(_STANDARD)).decode().partition(_BEFORE_TEXT)
        except ValueError:
            head, hidden = "", ""
        known = unwrap(head)
        if known is not None:
            return known, hidden
    return Seal(HOME, form, data), ""


_STANDARD = str.maketrans("-_", "+/")
_URLSAFE = str.maketrans("+/", "-_")


def write_seal(seal: Seal, hidden: str = "") -> str:
    """Return a ``thoughtSignature``: bare if it came bare, else in an envelope with thinking that is not shown."""
    if is_bare(seal):
        return seal.data
    text = wrap(seal) + (_BEFORE_TEXT + hidden if hidden else "")
    return b64encode(text.encode("utf-8", "replace")).decode()


def is_dummy(signature: str) -> bool:
    """Whether a signature stands for none; a client may have written its base64 in the other alphabet."""
    return signature.translate(_URLSAFE) == DUMMY
