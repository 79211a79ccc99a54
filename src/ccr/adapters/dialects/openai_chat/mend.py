"""What a reply goes through on its way back because of the tools of its request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.dialects.openai_chat.optionals import Optionals
from ccr.adapters.dialects.openai_chat.rescue import Rescue
from ccr.adapters.dialects.openai_chat.tools import restore_names
from ccr.adapters.wire.tool_changes import applied
from ccr.domain.conversation import Conversation, FunctionTool

if TYPE_CHECKING:
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.stream import StreamEvent

__all__ = ["mend"]


@frozen(eq=False)
class _InTurn:
    stages: tuple[EventStage, ...]

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        for stage in self.stages:
            events = stage.feed(events)
        return events


def mend(conversation: Conversation) -> EventStage | None:
    """Return a stage of three: names restored, printed calls made calls, empty optional parameters dropped."""
    conversation = applied(conversation)
    tools = {tool.name: tool for tool in conversation.tools if isinstance(tool, FunctionTool)}
    if not tools:
        return None
    restored = restore_names(conversation)
    mending = (Rescue(tools), Optionals(tools))
    return _InTurn((restored, *mending) if restored is not None else mending)
