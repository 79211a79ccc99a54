"""Where a chat client keeps opaque state for us: ``reasoning_details``, and the ids of tool calls.

A client that knows nothing of other providers sends back what it was given: the details of its reasoning (OpenRouter's
field, which clients carry verbatim), and the id of every call, in the call and in its result. A seal stands there in an
envelope (``adapters/wire/envelope.py``). The text that a thinking seal belongs to is in ``reasoning_content``, together with
that of other blocks; the form in the envelope begins with its span (``0:120:signature``), in characters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.deltas import texts
from ccr.adapters.dialects.openai_chat.details import DETAILS, detail_entries
from ccr.adapters.dialects.openai_chat.segments import SYNTHETIC_SEAL
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.envelope import MARK, unwrap, wrap
from ccr.domain.conversation import Thinking, ToolCall
from ccr.domain.provenance import Origin, Seal

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock

__all__ = [
    "call_id",
    "detail_entries",
    "is_foreign",
    "sealed_details",
    "split_id",
    "thoughts",
    "worth_carrying",
]

_JOINT = f"~{MARK}"
_FOREIGN = re.compile(rb'["~]ccr1\.[A-Za-z0-9_=-]*\.')
_SPAN = re.compile(r"(\d{1,9}):(\d{1,9}):(.*)", re.DOTALL)
_HOME = Origin(NAME)

APART = "\n\n"
"""Between texts of one message that something else stood between."""


def is_foreign(body: bytes) -> bool:
    """Whether a request carries a seal of ours anywhere."""
    return b"ccr1." in body and _FOREIGN.search(body) is not None


def worth_carrying(seal: Seal | None) -> bool:
    """Whether there is something in a seal: the one that we make up for reasoning that nobody signed has nothing."""
    return seal is not None and seal.form != SYNTHETIC_SEAL.form


# ------------------------------------------------------------------------------------------------ calls


def call_id(call: ToolCall) -> str:
    """Return the id by which our client knows a call: its own, and its seal behind it."""
    if call.seal is None or not worth_carrying(call.seal):
        return call.id
    return f"{call.id}~{wrap(call.seal)}"


def split_id(given: str) -> tuple[str, Seal | None]:
    """Return a call's own id and its seal. A mark that is not ours to read goes all the same: nobody else may see it."""
    own, joint, rest = given.partition(_JOINT)
    return own, unwrap(MARK + rest) if joint else None


# --------------------------------------------------------------------------------------------- thinking


def sealed_details(seal: Seal, index: int, start: int, end: int) -> list[object]:
    """Return the entries of ``reasoning_details`` that carry a seal of the text between two places.

    What OpenRouter itself wrote, and nobody stamped, goes back as it is.
    """
    if seal.origin == _HOME and seal.form == DETAILS:
        return detail_entries(seal.data)
    spanned = Seal(seal.origin, f"{start}:{end}:{seal.form}", seal.data)
    return [
        {"type": "reasoning.encrypted", "data": wrap(spanned), "format": "ccr", "index": index, "id": None}
    ]


def thoughts(text: str, details: object) -> list[ContentBlock]:
    """Return the thinking of an assistant message from its text and its ``reasoning_details``.

    A seal whose text the client did not bring back is no use to its maker, and is left out.
    """
    spans: list[tuple[int, int, Seal]] = []
    bare: list[object] = []
    for entry in details if isinstance(details, list) else ():
        data = entry.get("data") if isinstance(entry, Mapping) else None
        if not isinstance(data, str) or not data.startswith(MARK):
            bare.append(entry)
            continue
        seal = unwrap(data)
        span = _SPAN.fullmatch(seal.form) if seal else None
        if seal and span:
            spans.append((int(span[1]), int(span[2]), Seal(seal.origin, span[3], seal.data)))
    if not spans:
        return _unspanned(text, bare)
    blocks = _cut(text, spans)
    return [*blocks, *_unspanned("", bare)] if bare else blocks


def _unspanned(text: str, bare: Sequence[object]) -> list[ContentBlock]:
    if not bare:
        return [Thinking(text)] if text.strip() else []
    said = text or "".join(
        piece
        for entry in bare
        if isinstance(entry, Mapping)
        for piece in texts(entry.get("text") or entry.get("summary"))
    )
    return [Thinking(said, Seal(_HOME, DETAILS, json.encode_wire(list(bare)).decode()))]


def _cut(text: str, spans: list[tuple[int, int, Seal]]) -> list[ContentBlock]:
    blocks: list[ContentBlock] = []
    at = 0
    for start, end, seal in sorted(spans, key=lambda span: span[:2]):
        if start < at or end < start or (end > len(text) and start != end):
            continue
        blocks.extend(_between(text[at:start].removesuffix(APART), at))
        blocks.append(Thinking(text[start:end], seal))
        at = end
    return [*blocks, *_between(text[at:], at)]


def _between(text: str, at: int) -> list[ContentBlock]:
    said = text.removeprefix(APART) if at else text
    return [Thinking(said)] if said.strip() else []
