"""Seals of tool calls, for dialects whose calls have no place for one.

A carrier, a thinking block without text, stands before the call and names it. The client keeps it as it keeps its own
reasoning; on the way back the carrier goes and its seal is the call's again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation import Thinking, ToolCall
from ccr.domain.provenance import Seal
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock

__all__ = ["CALL", "carried", "with_call_seals"]

CALL = "call:"
"""How the form of a carrier's seal begins: ``call:<id>:<form>``."""


def carried(call_id: str, seal: Seal) -> Seal:
    """Return the seal of a call as its carrier has it."""
    return Seal(seal.origin, f"{CALL}{call_id}:{seal.form}", seal.data)


def with_call_seals(blocks: tuple[ContentBlock, ...]) -> tuple[ContentBlock, ...]:
    """Return the blocks of a turn, carriers taken out and their seals given to the calls they name.

    A turn without carriers comes back as the same object. The carrier of a call that is not there goes too.
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
