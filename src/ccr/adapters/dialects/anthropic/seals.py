"""Signatures: Anthropic's own go home byte for byte, another's are carried for it by the client.

A Claude Code client keeps the ``signature`` of a thinking block and sends it back. A seal of anybody but Anthropic is
written into it in an envelope (``adapters/wire/envelope.py``), so that on the way back it is recognised, given to whom it
belongs and never to Anthropic. The seal of a tool call, for which this dialect has no place, stands in a thinking block
without text before the call (:func:`carrier`): Claude Code 2.1.330 sends such blocks back in their places, several of one
turn too (measured).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.wire import DIALECT
from ccr.adapters.wire.envelope import FOREIGN, unwrap, wrap
from ccr.domain.conversation import Thinking, ToolCall
from ccr.domain.provenance import Origin, Seal
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.domain.conversation import ContentBlock

__all__ = [
    "CALL",
    "FOREIGN",
    "REDACTED",
    "SEARCH",
    "SIGNATURE",
    "UNSIGNED",
    "at_home",
    "carrier",
    "is_home",
    "read_seal",
    "with_call_seals",
    "with_carriers",
    "write_seal",
]

SIGNATURE = "signature"
REDACTED = "redacted"
CALL = "call:"
"""How the form begins of a seal that belongs to the tool call whose block follows."""
SEARCH = "search"
"""Form of what another than Anthropic put into a search result's ``encrypted_content``."""
_HOME = Origin(DIALECT)
UNSIGNED = Seal(Origin("ccr"), "unsigned", "")
"""Of thinking that nobody sealed. Without a signature it could not be told from Anthropic's own when it comes back, and
Anthropic refuses thinking that it did not sign."""


def is_home(seal: Seal) -> bool:
    """Whether a seal is Anthropic's own: of this dialect, and of no provider that merely speaks it."""
    return seal.origin == _HOME


def at_home(seal: Seal) -> Seal:
    """Return a seal as whoever made it wrote it: without the envelope in which the client carried it."""
    return seal if is_home(seal) else Seal(_HOME, seal.form, seal.data)


def read_seal(form: str, data: str) -> Seal:
    """Return the seal that a client brings back; a mark that is not ours to read is data."""
    return unwrap(data) or Seal(_HOME, form, data)


def write_seal(seal: Seal) -> str:
    """Return the text of a ``signature``."""
    return seal.data if is_home(seal) else wrap(seal)


# ------------------------------------------------------------------------------------- seals of tool calls


def carrier(call: ToolCall) -> Thinking | None:
    """Return the block that carries the seal of a call; None if it has none, or none that needs carrying."""
    seal = call.seal
    if seal is None or is_home(seal):
        return None
    return Thinking("", Seal(seal.origin, f"{CALL}{call.id}:{seal.form}", seal.data))


def with_carriers(blocks: Iterable[ContentBlock]) -> list[ContentBlock]:
    """Return the blocks of a reply as they go out: a carrier before each call that needs one, all thinking signed."""
    made: list[ContentBlock] = []
    for block in blocks:
        if isinstance(block, Thinking) and block.seal is None:
            made.append(evolve(block, seal=UNSIGNED))
            continue
        before = carrier(block) if isinstance(block, ToolCall) else None
        made += [block] if before is None else [before, block]
    return made


def with_call_seals(blocks: tuple[ContentBlock, ...]) -> tuple[ContentBlock, ...]:
    """Return the blocks of a turn, carriers taken out and their seals given to the calls they name.

    A turn without carriers comes back as the same object. The carrier of a call that is not there is left out too: a
    client may have cut it off, and the block itself means nothing to anybody.
    """
    seals: dict[str, Seal] = {}
    kept: list[ContentBlock] = []
    for block in blocks:
        seal = block.seal if isinstance(block, Thinking) else None
        if seal is None or not seal.form.startswith(CALL):
            kept.append(block)
            continue
        call_id, _, form = seal.form.removeprefix(CALL).rpartition(":")
        seals[call_id] = Seal(seal.origin, form, seal.data)
    if len(kept) == len(blocks):
        return blocks
    return tuple(
        evolve(block, seal=seals[block.id]) if isinstance(block, ToolCall) and block.id in seals else block
        for block in kept
    )
