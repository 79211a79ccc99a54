"""What a reply goes through on its way back because of the tools of its request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.dialects.openai_chat.found import Searches
from ccr.adapters.dialects.openai_chat.optionals import Optionals
from ccr.adapters.dialects.openai_chat.rescue import Rescue
from ccr.adapters.dialects.openai_chat.search import searches_here
from ccr.adapters.wire.tool_changes import applied
from ccr.adapters.wire.tool_offers import restore_names
from ccr.domain.conversation import Conversation, FunctionTool, HostedTool

if TYPE_CHECKING:
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Tool
    from ccr.domain.models import ModelProfile
    from ccr.domain.stream import StreamEvent

__all__ = ["mend"]


@frozen(eq=False)
class _InTurn:
    stages: tuple[EventStage, ...]

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        for stage in self.stages:
            events = stage.feed(events)
        return events


def mend(conversation: Conversation, profile: ModelProfile) -> EventStage | None:
    """Return a stage of up to four: names restored, printed calls made calls, empty optional parameters dropped, and
    searches shown.
    """
    conversation = applied(conversation)
    tools = {tool.name: tool for tool in conversation.tools if isinstance(tool, FunctionTool)}
    stages: list[EventStage] = []
    restored = restore_names(conversation)
    if restored is not None:
        stages.append(restored)
    if tools:
        stages += (Rescue(tools), Optionals(tools))
    if searches_here(profile) and any(_is_search(tool) for tool in conversation.tools):
        stages.append(Searches())
    return _InTurn(tuple(stages)) if stages else None


def _is_search(tool: Tool) -> bool:
    return isinstance(tool, HostedTool) and tool.search is not None
