"""The ancestor's subagent tag: ``<CCR-SUBAGENT-MODEL>provider,model</CCR-SUBAGENT-MODEL>`` in a prompt.

It is read from any system text and from the text of the first user message, never from tool results, which are not the
user's words. Where it is read, there it is removed.
"""

from __future__ import annotations

import re

from ccr.domain.conversation.blocks import ContentBlock, Text
from ccr.domain.conversation.conversation import Conversation, Role, Turn
from ccr.domain.value import evolve

__all__ = ["OPENING", "read_tag", "strip_tag"]

OPENING = "<CCR-SUBAGENT-MODEL>"
"""What a prompt with a tag contains: a cheap test before anything else is done."""

_TAG = re.compile(r"<CCR-SUBAGENT-MODEL>([^<]{0,500})</CCR-SUBAGENT-MODEL>\s?")


def read_tag(text: str) -> str:
    """Return the content of the first tag, trimmed; empty when there is none."""
    found = _TAG.search(text) if OPENING in text else None
    return found[1].strip() if found else ""


def strip_tag(conversation: Conversation) -> Conversation:
    """Return the conversation without tags; a turn that changes loses its ``source``, the others keep theirs."""
    system = tuple(_clean(text) for text in conversation.system)
    first = next((at for at, turn in enumerate(conversation.turns) if turn.role is Role.USER), -1)
    turns = tuple(
        _clean_turn(turn) if at == first or turn.role is Role.SYSTEM else turn
        for at, turn in enumerate(conversation.turns)
    )
    # An empty text block is refused by Anthropic and means nothing to anybody.
    kept = (
        tuple(text for text in system if text.text) if system != conversation.system else conversation.system
    )
    return evolve(conversation, system=kept, turns=turns)


def _clean(text: Text) -> Text:
    return evolve(text, text=_TAG.sub("", text.text)) if OPENING in text.text else text


def _clean_turn(turn: Turn) -> Turn:
    blocks: list[ContentBlock] = [
        _clean(block) if isinstance(block, Text) else block for block in turn.blocks
    ]
    if all(new is old for new, old in zip(blocks, turn.blocks, strict=True)):
        return turn
    kept = tuple(block for block in blocks if not isinstance(block, Text) or block.text)
    return Turn(turn.role, kept or tuple(blocks))
