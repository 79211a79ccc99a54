"""A system prompt of the user's own in place of Claude Code's (the ancestor's ``REWRITE_SYSTEM_PROMPT``)."""

from __future__ import annotations

from ccr.domain.conversation.conversation import Conversation
from ccr.domain.value import evolve

__all__ = ["with_prompt"]

_ENVIRONMENT = "<env>"


def with_prompt(conversation: Conversation, prompt: str) -> Conversation:
    """Put ``prompt`` before the environment: in the first system block after the identity that has an ``<env>``.

    What follows the last ``<env>`` stays, because the model needs it. A conversation without such a block stays as it
    is: it is none of Claude Code's main turns.
    """
    for at, block in enumerate(conversation.system):
        if at > 0 and _ENVIRONMENT in block.text:
            rest = block.text.rpartition(_ENVIRONMENT)[2]
            changed = evolve(block, text=f"{prompt}{_ENVIRONMENT}{rest}")
            system = (*conversation.system[:at], changed, *conversation.system[at + 1 :])
            return evolve(conversation, system=system)
    return conversation
