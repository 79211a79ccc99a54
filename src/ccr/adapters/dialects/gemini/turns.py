"""Turns put in order: the pass over all contents of a request, each of which was read alone.

Official clients keep every chunk of a streamed answer as a content of its own; ids of calls may be missing, or known to the
response alone.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from ccr.adapters.dialects.gemini.names import MADE
from ccr.adapters.dialects.gemini.read_contents import joined
from ccr.adapters.dialects.gemini.read_usual import SEPARATOR
from ccr.domain.conversation import Role, Text, ToolCall, ToolResult, Turn
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ccr.domain.conversation import ContentBlock

__all__ = ["arranged"]


def arranged(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Return turns in which an answer is one turn, every call has an id and every response the id of its call.

    Ids that nobody gave count turns and calls, so the same history has the same ids whenever it is read.
    """
    made: list[Turn] = []
    unanswered: list[ToolCall] = []
    for turn in _whole_answers(turns):
        if turn.role is Role.ASSISTANT:
            blocks = _named(turn.blocks, len(made))
            unanswered = [block for block in blocks if isinstance(block, ToolCall)]
        else:
            blocks = tuple(
                _answering(block, unanswered) if isinstance(block, ToolResult) else block
                for block in turn.blocks
            )
        if blocks:
            # The source is still what was meant: only what it leaves open was filled in.
            made.append(turn if blocks == turn.blocks else Turn(turn.role, blocks, turn.source))
    return tuple(made)


def _whole_answers(turns: Iterable[Turn]) -> Iterable[Turn]:
    for role, run in groupby(turns, key=lambda turn: turn.role):
        several = list(run)
        if role is Role.ASSISTANT and len(several) > 1:
            blocks: list[ContentBlock] = []
            for turn in several:
                _append(blocks, turn.blocks)
            yield Turn(role, joined(blocks))
        else:
            yield from several


def _append(blocks: list[ContentBlock], more: Sequence[ContentBlock]) -> None:
    """Add what an answer went on with; a text that was cut by a chunk is one text."""
    last, first = (blocks[-1] if blocks else None), (more[0] if more else None)
    if isinstance(last, Text) and isinstance(first, Text):
        blocks[-1] = Text(last.text + first.text)
        more = more[1:]
    blocks += more


def _named(blocks: tuple[ContentBlock, ...], turn: int) -> tuple[ContentBlock, ...]:
    if all(block.id for block in blocks if isinstance(block, ToolCall)):
        return blocks
    return tuple(
        evolve(block, id=f"{MADE}{turn}_{index}") if isinstance(block, ToolCall) and not block.id else block
        for index, block in enumerate(blocks)
    )


def _answering(result: ToolResult, unanswered: list[ToolCall]) -> ToolResult:
    call_id, _, name = result.call_id.partition(SEPARATOR)
    call = next((call for call in unanswered if call.id == call_id), None)
    call = call or next((call for call in unanswered if call.name == name), None)
    if call is not None:
        unanswered.remove(call)
        call_id = call.id
    return ToolResult(call_id or name, result.content, result.is_error, result.cache, plain=result.plain)
