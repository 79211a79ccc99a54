"""Reasoning items: OpenAI's own go home as they came, another's opaque state is carried for it by the client.

A client of this dialect keeps reasoning items and sends them back. The seal of a reasoning item holds what it takes to build
the item again: ``<head>.<encrypted_content>``, the head being base64url JSON of id, summary and content. A seal of anybody
else stands in ``encrypted_content`` in an envelope (``adapters/wire/envelope.py``). Reasoning that nobody sealed is marked
too, for OpenAI refuses an item that it does not know: our mark keeps such a request from being relayed as it came.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_responses.wire import NAME, Wire
from ccr.adapters.wire import json
from ccr.adapters.wire.envelope import unwrap, wrap
from ccr.domain.provenance import Origin, Seal

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["OURS", "REASONING", "parsed_seal", "read_seal", "rebuilt", "seal_of", "write_seal"]

REASONING = "reasoning"
OURS = "_ccr_"
"""Stands in the ids of items that we named: no provider knows them."""
_HOME = Origin(NAME)
_UNSEALED = Seal(Origin("ccr"), "unsealed", "")


def seal_of(item_id: str, summary: Sequence[str], content: Sequence[str], encrypted: str) -> Seal | None:
    """Return the seal of a reasoning item; None if there is nothing in it that could be given back.

    Without ``encrypted_content`` a provider that keeps no state takes back only what stands open in ``content``
    (open-weight models behind this dialect).
    """
    if not encrypted and not content:
        return None
    known = "" if OURS in item_id else item_id
    head = urlsafe_b64encode(json.encode([known, list(summary), list(content)])).decode()
    return Seal(_HOME, REASONING, f"{head}.{encrypted}")


def rebuilt(seal: Seal) -> Wire | None:
    """Return the reasoning item of a seal; None if it is none of ours."""
    found = parsed_seal(seal)
    if found is None:
        return None
    item_id, summary, content, encrypted = found
    item: Wire = {"type": "reasoning"}
    if item_id:
        item["id"] = item_id
    item["summary"] = [{"type": "summary_text", "text": text} for text in summary]
    if content:
        item["content"] = [{"type": "reasoning_text", "text": text} for text in content]
    if encrypted:
        item["encrypted_content"] = encrypted
    return item


def parsed_seal(seal: Seal) -> tuple[str, list[str], list[str], str] | None:
    """Return id, summary, content and encrypted content; None of any other seal."""
    if seal.origin.dialect != NAME or seal.form != REASONING:
        return None
    head, _, encrypted = seal.data.partition(".")
    try:
        found = json.decode(urlsafe_b64decode(head))
    except ValueError:
        return None
    if not isinstance(found, list) or len(found) != 3:
        return None
    item_id, summary, content = found
    if not isinstance(item_id, str) or not isinstance(summary, list) or not isinstance(content, list):
        return None
    return item_id, [str(text) for text in summary], [str(text) for text in content], encrypted


def read_seal(item_id: str, summary: Sequence[str], content: Sequence[str], encrypted: str) -> Seal | None:
    """Return the seal that a client brings back in a reasoning item."""
    known = unwrap(encrypted)
    if known is not None:
        return None if known == _UNSEALED else known
    return seal_of(item_id, summary, content, encrypted)


def write_seal(seal: Seal | None) -> str:
    """Return the ``encrypted_content`` of a reasoning item: bare if it came bare, else in an envelope."""
    if seal is None:
        return wrap(_UNSEALED)
    found = parsed_seal(seal) if seal.origin == _HOME else None
    return found[3] if found is not None and found[3] else wrap(seal)
