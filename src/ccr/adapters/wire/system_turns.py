"""What the system says between the turns, for models that take no system message there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation import Role, Text, Turn
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BILLING", "fold_system", "reminder"]

BILLING = "x-anthropic-billing-header:"
"""Claude Code's attribution line: it changes with every request and would spoil prefix caches elsewhere (P21)."""


def reminder(text: str) -> str:
    """Return text of the system as Claude Code's models know it inside the user's words."""
    return f"<system-reminder>\n{text}\n</system-reminder>"


def fold_system(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns in which what the system says between them stands in the user's turn beside it.

    It is the turn before, if that is the user's: so an old turn is written alike in every request.
    """
    folded: list[Turn] = []
    waiting: tuple[Text, ...] = ()
    for turn in turns:
        if turn.role is Role.SYSTEM:
            said = tuple(
                evolve(block, text=reminder(block.text)) for block in turn.blocks if isinstance(block, Text)
            )
            if folded and folded[-1].role is Role.USER:
                folded[-1] = evolve(folded[-1], blocks=folded[-1].blocks + said, source=None)
            else:
                waiting += said
        elif turn.role is Role.USER and waiting:
            folded.append(evolve(turn, blocks=waiting + turn.blocks, source=None))
            waiting = ()
        else:
            if waiting:
                folded.append(Turn(Role.USER, waiting))
                waiting = ()
            folded.append(turn)
    if waiting:
        folded.append(Turn(Role.USER, waiting))
    return tuple(folded)
