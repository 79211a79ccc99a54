"""Tools that come and go in the middle of a conversation, for providers that know one list only.

Claude Code writes ``tool_addition`` and ``tool_removal`` blocks into system messages (beta
``mid-conversation-tool-changes-2026-07-01``; definitions by value with ``inline-tools-2026-09-15``; shapes as in the types of
the official SDK 2.12). Others refuse the blocks, and they stay in the history for ever: the list is changed instead.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ccr.adapters.wire import json
from ccr.domain.conversation import Conversation, FunctionTool, Opaque, Turn
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import ContentBlock, Tool

__all__ = ["applied"]

_KINDS = frozenset({"tool_addition", "tool_removal"})


def applied(conversation: Conversation) -> Conversation:
    """Return the conversation with the changes made to its tools and their blocks left out; itself if there are none."""
    for turn in conversation.turns:
        if any(type(block) is Opaque and _is_change(block) for block in turn.blocks):
            break
    else:
        return conversation
    tools: dict[str, Tool] = {tool.name: tool for tool in conversation.tools}
    turns: list[Turn] = []
    for turn in conversation.turns:
        kept = tuple(block for block in turn.blocks if not _is_change(block))
        if len(kept) == len(turn.blocks):
            turns.append(turn)
            continue
        for block in turn.blocks:
            if isinstance(block, Opaque) and block.kind in _KINDS:
                _change(tools, block)
        if kept:
            turns.append(Turn(turn.role, kept))
    return evolve(conversation, tools=tuple(tools.values()), turns=tuple(turns))


def _is_change(block: ContentBlock) -> bool:
    return isinstance(block, Opaque) and block.kind in _KINDS


def _change(tools: dict[str, Tool], block: Opaque) -> None:
    """A change that cannot be read, or that speaks of a provider's own tools, changes nothing here."""
    try:
        found = json.decode(block.data.data)
    except ValueError:
        return
    told = found.get("tool") if isinstance(found, Mapping) else None
    if not isinstance(told, Mapping):
        return
    if told.get("type") == "tool_definition":
        made = _defined(told.get("definition"))
        if made is not None:
            tools[made.name] = made
        return
    name = told.get("name")
    tool = tools.get(name) if told.get("type") == "tool_reference" and isinstance(name, str) else None
    if tool is None:
        return
    if block.kind == "tool_removal":
        del tools[tool.name]
    elif isinstance(tool, FunctionTool):
        tools[tool.name] = evolve(tool, deferred=False)


def _defined(definition: Any) -> FunctionTool | None:
    if not isinstance(definition, Mapping) or not isinstance(definition.get("name"), str):
        return None
    schema, description = definition.get("input_schema"), definition.get("description")
    if not isinstance(schema, Mapping):
        return None
    text = description if isinstance(description, str) else ""
    return FunctionTool(definition["name"], text, Json(json.encode(dict(schema))))
