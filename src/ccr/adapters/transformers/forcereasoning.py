"""``forcereasoning``: models that do not reason by themselves are asked to, in the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define
from typing_extensions import override

from ccr.adapters.wire.thought_tags import ThoughtStage
from ccr.application.ports.transformer import EventStage, Transformer
from ccr.domain.conversation import Role, Text, Thinking, Turn
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock, Conversation
    from ccr.domain.models import Destination

__all__ = ["ForceReasoning"]

_TAG = "reasoning_content"
_ASK = (
    f"Before you answer or call a tool, think step by step inside <{_TAG}> and </{_TAG}>, at the very beginning of your "
    "reply. Then go on with the answer or the call, outside of these tags."
)
_KEPT = 10
"""Turns of the assistant whose reasoning is shown to it again."""


@define(frozen=True)
class ForceReasoning(Transformer):
    """Ask for reasoning in ``<reasoning_content>`` tags, show the latest reasoning again, and read what comes."""

    name: ClassVar[str] = "forcereasoning"

    @override
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        turns: list[Turn] = []
        left = _KEPT
        for turn in reversed(conversation.turns):
            shown = turn
            if turn.role is Role.ASSISTANT and any(isinstance(block, Thinking) for block in turn.blocks):
                shown = evolve(turn, blocks=_tagged(turn.blocks, keep=left > 0), source=None)
                left -= 1
            turns.append(shown)
        turns.reverse()
        if turns and turns[-1].role is Role.USER:
            turns[-1] = evolve(turns[-1], blocks=(*turns[-1].blocks, Text(_ASK)), source=None)
        else:
            turns.append(Turn(Role.USER, (Text(_ASK),)))
        return evolve(conversation, turns=tuple(turns))

    @override
    def stage(self, to: Destination) -> EventStage:
        return ThoughtStage(_TAG)


def _tagged(blocks: tuple[ContentBlock, ...], *, keep: bool) -> tuple[ContentBlock, ...]:
    thought = "\n".join(block.text for block in blocks if isinstance(block, Thinking) and block.text)
    rest = tuple(block for block in blocks if not isinstance(block, Thinking))
    # A turn of thinking alone would otherwise vanish.
    shown = thought if keep or not rest else ""
    return (Text(f"<{_TAG}>{shown}</{_TAG}>"), *rest) if shown else rest
