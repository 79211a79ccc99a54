"""Tools, the choice among them, and the way back of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ccr.adapters.dialects.openai_chat.messages import Losses, Message, reminder
from ccr.adapters.wire.names import long_names, short_name
from ccr.domain.conversation import FunctionTool, ToolCall, ToolChoice, ToolMode, ToolReference, ToolResult
from ccr.domain.fidelity import Loss
from ccr.domain.stream import BlockStart

if TYPE_CHECKING:
    from ccr.application.ports.transformer import EventStage
    from ccr.domain.conversation import Conversation
    from ccr.domain.models import ModelProfile
    from ccr.domain.stream import StreamEvent

__all__ = ["choose", "offered", "restore_names", "write_tool"]

_PLACEHOLDER = "DeferredToolPlaceholder"
"""Claude Code lists it to keep deferred loading active at Anthropic; "never call this tool"."""


def offered(conversation: Conversation, losses: Losses) -> list[FunctionTool]:
    """Return the tools that can be offered here: of deferred ones those that have become known."""
    functions: list[FunctionTool] = []
    known: set[str] | None = None
    for tool in conversation.tools:
        if not isinstance(tool, FunctionTool):
            losses[Loss("hosted_tool" if hasattr(tool, "kind") else "freeform_tool")] = None
        elif tool.name == _PLACEHOLDER:
            continue
        elif tool.deferred:
            known = _known(conversation) if known is None else known
            if tool.name in known:
                functions.append(tool)
        else:
            functions.append(tool)
    return functions


def _known(conversation: Conversation) -> set[str]:
    known = {conversation.tool_choice.name or ""} if conversation.tool_choice else set()
    for turn in conversation.turns:
        for block in turn.blocks:
            if isinstance(block, ToolReference | ToolCall):
                known.add(block.name)
            elif isinstance(block, ToolResult):
                known.update(part.name for part in block.content if isinstance(part, ToolReference))
    return known


def write_tool(tool: FunctionTool) -> Message:
    """Return a tool as chat completions declare it."""
    return {
        "type": "function",
        "function": {
            "name": short_name(tool.name),
            "description": tool.description,
            "parameters": tool.schema,
        },
    }


def choose(
    choice: ToolChoice | None, tools: Sequence[FunctionTool], profile: ModelProfile, losses: Losses
) -> tuple[Message, Message | None]:
    """Return the fields that say which tool may be called, and a message that says it where no field can."""
    if choice is None or not tools:
        return {}, None
    fields: Message = {}
    said: Message | None = None
    named = choice.mode is ToolMode.NAMED and any(tool.name == choice.name for tool in tools)
    if choice.mode is ToolMode.NAMED and not named:
        losses[Loss("tool_choice", "auto")] = None
        fields["tool_choice"] = "auto"
    elif choice.mode in (ToolMode.AUTO, ToolMode.NONE):
        fields["tool_choice"] = choice.mode.value
    elif profile.tool_choice_required:
        fields["tool_choice"] = (
            {"type": "function", "function": {"name": short_name(choice.name or "")}} if named else "required"
        )
    else:
        losses[Loss("tool_choice", "as text")] = None
        fields["tool_choice"] = "auto"
        must = f"the tool {short_name(choice.name or '')}" if named else "at least one of the tools"
        text = f"In your next message you must call {must}."
        said = (
            {"role": "system", "content": text}
            if profile.system_in_turns
            else {"role": "user", "content": reminder(text)}
        )
    if choice.parallel is False:
        if profile.parallel_tools:
            fields["parallel_tool_calls"] = False
        else:
            losses[Loss("parallel_tools")] = None
    return fields, said


def restore_names(conversation: Conversation) -> EventStage | None:
    """Return a stage that gives tools back the names by which the caller knows them; None if all went out as they are.

    It needs nothing but the tools of the request itself, so any process can read the reply.
    """
    names = long_names(tool.name for tool in conversation.tools)
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
