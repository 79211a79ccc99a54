"""What is sealed goes home and nowhere else: the pass over a conversation before it is written for a provider."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import Thinking, ToolCall
from ccr.domain.provenance import may_return
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation.blocks import ContentBlock
    from ccr.domain.conversation.conversation import Conversation, Turn

__all__ = ["homeward", "unsealed"]


def homeward(conversation: Conversation, dialect: str, provider: str) -> Conversation:
    """Return the conversation without seals that this provider did not make.

    Thinking keeps its text, which some providers want back from whoever thought it; what had only a seal goes. Turns in
    which nothing was taken off stay the same objects, with their source.
    """
    turns = tuple(_turn(turn, dialect, provider) for turn in conversation.turns)
    if all(new is old for new, old in zip(turns, conversation.turns, strict=True)):
        return conversation
    return evolve(conversation, turns=turns)


def unsealed(conversation: Conversation) -> Conversation:
    """Return the conversation without any seal: the last resort when a provider refuses one that it should know."""
    return homeward(conversation, "", "")


def _turn(turn: Turn, dialect: str, provider: str) -> Turn:
    for block in turn.blocks:
        seal = block.seal if isinstance(block, Thinking | ToolCall) else None
        if seal is not None and not may_return(seal, dialect, provider):
            break
    else:
        return turn
    blocks = [_block(block, dialect, provider) for block in turn.blocks]
    return evolve(turn, blocks=tuple(block for block in blocks if block is not None), source=None)


def _block(block: ContentBlock, dialect: str, provider: str) -> ContentBlock | None:
    if not isinstance(block, Thinking | ToolCall) or block.seal is None:
        return block
    if may_return(block.seal, dialect, provider):
        return block
    if isinstance(block, Thinking) and not block.text:
        return None
    return evolve(block, seal=None)
