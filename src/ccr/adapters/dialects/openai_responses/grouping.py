"""Items as turns: what the model did in a row is one turn, and so is what came back to it."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ccr.adapters.wire.call_seals import with_call_seals
from ccr.domain.conversation import Role, Text, ToolResult, Turn

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ccr.domain.conversation import ContentBlock

__all__ = ["grouped", "leading_system"]


def leading_system(turns: Sequence[Turn]) -> tuple[tuple[Text, ...], Sequence[Turn]]:
    """Return the texts of the system before anybody else spoke, and the turns after them."""
    texts: list[Text] = []
    for index, turn in enumerate(turns):
        said = [block for block in turn.blocks if isinstance(block, Text)]
        if turn.role is not Role.SYSTEM or len(said) != len(turn.blocks):
            return tuple(texts), turns[index:]
        texts += said
    return tuple(texts), ()


def grouped(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return the turns of a conversation; each item of the system's stays a turn of its own.

    In a turn of the user's the results of tools go first, as their calls came last. Seals that stood before their calls
    are theirs again.
    """
    made: list[Turn] = []
    for role, run in groupby(turns, key=lambda turn: turn.role):
        if role is Role.SYSTEM:
            made += run
            continue
        of_side = list(run)
        blocks = tuple(block for turn in of_side for block in turn.blocks)
        blocks = with_call_seals(blocks) if role is Role.ASSISTANT else _results_first(blocks)
        if blocks:
            made.append(of_side[0] if of_side[0].blocks == blocks else Turn(role, blocks))
    return tuple(made)


def _results_first(blocks: tuple[ContentBlock, ...]) -> tuple[ContentBlock, ...]:
    return tuple(sorted(blocks, key=lambda block: not isinstance(block, ToolResult)))
