"""A call that was never bytes: a conversation of an embedding program, a probe, the rest of a reply."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.application.call import Operation
from ccr.domain.conversation import HostedTool, Image, ToolResult
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import InternalError
from ccr.domain.facts import RequestFacts

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock, Conversation

__all__ = ["BuiltCall"]


@define(eq=False)
class BuiltCall:
    """A ParsedCall that was never bytes."""

    built: Conversation
    facts: RequestFacts
    foreign: bool = False
    plain: bool = False
    echo: object = None

    @classmethod
    def of(cls, conversation: Conversation) -> BuiltCall:
        """Read the facts off a conversation."""
        texts = texts_of(conversation)
        last = conversation.turns[-1].blocks if conversation.turns else ()
        size = sum(map(len, texts))
        facts = RequestFacts(
            operation=Operation.GENERATE,
            dialect="",
            model=conversation.model,
            size=size,
            text_size=size,
            stream=True,
            thinking=conversation.reasoning.mode,
            budget=conversation.reasoning.budget,
            effort=conversation.reasoning.effort,
            max_tokens=conversation.max_tokens,
            tool_kinds=tuple(tool.kind for tool in conversation.tools if isinstance(tool, HostedTool)),
            tools=len(conversation.tools),
            images=any(_has_image(block) for block in last),
        )
        return cls(conversation, facts)

    def conversation(self) -> Conversation:
        """Return it."""
        return self.built

    def retarget(self, model: str) -> bytes:
        """Never asked: there are no bytes to relay."""
        raise InternalError(f"a conversation cannot be relayed to {model}")


def _has_image(block: ContentBlock) -> bool:
    return isinstance(block, Image) or (
        isinstance(block, ToolResult) and any(isinstance(part, Image) for part in block.content)
    )
