"""``cleancache``: no cache marks for providers that refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, TypeVar, cast

from attrs import define
from typing_extensions import override

from ccr.application.ports.transformer import Transformer
from ccr.domain.conversation import ToolResult
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.domain.conversation import Conversation, Text, Turn
    from ccr.domain.models import Destination

__all__ = ["CleanCache"]

T = TypeVar("T")


@define(frozen=True)
class CleanCache(Transformer):
    """Take ``cache_control`` off system, messages, results of tools, tools and the request itself."""

    name: ClassVar[str] = "cleancache"

    @override
    def request(self, conversation: Conversation, to: Destination) -> Conversation:
        return evolve(
            conversation,
            system=tuple(map(_clean, conversation.system)),
            turns=tuple(map(_clean_turn, conversation.turns)),
            tools=tuple(map(_clean, conversation.tools)),
            extra=tuple(field for field in conversation.extra if field[0] != "cache_control"),
        )


def _clean_turn(turn: Turn) -> Turn:
    blocks = tuple(map(_clean, turn.blocks))
    if all(new is old for new, old in zip(blocks, turn.blocks, strict=True)):
        return turn
    return evolve(turn, blocks=blocks, source=None)


def _clean(part: T) -> T:
    if isinstance(part, ToolResult):
        content = tuple(map(_clean, part.content))
        if any(new is not old for new, old in zip(content, part.content, strict=True)):
            part = cast("T", evolve(part, content=content))
    if getattr(part, "cache", None) is None:
        return part
    return cast("T", evolve(cast("Text", part), cache=None))  # every part with a cache mark is an attrs value
