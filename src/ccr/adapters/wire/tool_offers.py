"""Which tools of a conversation can be offered to a provider that knows one list only, and the way back of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from ccr.adapters.wire.names import long_names
from ccr.domain.conversation import FunctionTool, HostedTool, ToolCall, ToolReference, ToolResult
from ccr.domain.stream import BlockStart
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation, Tool
    from ccr.domain.stream import StreamEvent

__all__ = ["PLACEHOLDER", "must_call", "offered_tools", "restore_names"]

PLACEHOLDER = "DeferredToolPlaceholder"
"""Claude Code lists it to keep deferred loading active at Anthropic; "never call this tool"."""


def must_call(name: str = "") -> str:
    """Return in words what ``tool_choice`` says where it is not understood; empty = any of the tools."""
    return (
        f"In your next message you must call {f'the tool {name}' if name else 'at least one of the tools'}."
    )


def offered_tools(conversation: Conversation) -> list[Tool]:
    """Return the tools without Claude Code's placeholder; of deferred ones those that have become known."""
    known: set[str] | None = None
    tools: list[Tool] = []
    for tool in conversation.tools:
        if isinstance(tool, FunctionTool) and tool.name == PLACEHOLDER:
            continue
        if isinstance(tool, FunctionTool) and tool.deferred:
            known = _known(conversation) if known is None else known
            if tool.name not in known:
                continue
        tools.append(tool)
    return tools


def _known(conversation: Conversation) -> set[str]:
    known = {conversation.tool_choice.name or ""} if conversation.tool_choice else set()
    for turn in conversation.turns:
        for block in turn.blocks:
            if isinstance(block, ToolReference | ToolCall):
                known.add(block.name)
            elif isinstance(block, ToolResult):
                known.update(part.name for part in block.content if isinstance(part, ToolReference))
    return known


def restore_names(conversation: Conversation) -> EventStage | None:
    """Return a stage that gives tools back the names by which the caller knows them; None if all went out as they are.

    It needs nothing but the tools of the request itself, so any process can read the reply.
    """
    names = long_names(tool.name for tool in conversation.tools if not isinstance(tool, HostedTool))
    return _Restored(names) if names else None


@frozen
class _Restored:
    names: dict[str, str]

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        return [self._restored(event) if type(event) is BlockStart else event for event in events]

    def _restored(self, event: BlockStart) -> BlockStart:
        block = event.block
        if not isinstance(block, ToolCall) or block.name not in self.names:
            return event
        return BlockStart(event.index, evolve(block, name=self.names[block.name]))
