"""What of a conversation counts as input tokens, block by block, so that the counts of blocks can be remembered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.domain.conversation.blocks import (
    Document,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolCall,
    ToolReference,
    ToolResult,
)
from ccr.domain.conversation.media import Inline
from ccr.domain.conversation.tools import FreeformTool, FunctionTool
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ccr.domain.conversation.blocks import ContentBlock
    from ccr.domain.conversation.conversation import Conversation, Turn
    from ccr.domain.conversation.tools import Tool

__all__ = ["texts_of", "texts_of_system", "texts_of_tools", "texts_of_turn"]


def texts_of(conversation: Conversation) -> list[bytes]:
    """Return system, turns and tools as UTF-8; no media and no thinking."""
    said = (text for turn in conversation.turns for text in texts_of_turn(turn))
    return [*texts_of_system(conversation.system), *said, *texts_of_tools(conversation.tools)]


def texts_of_turn(turn: Turn) -> list[bytes]:
    """Return those of one turn."""
    return [text for block in turn.blocks for text in _of_block(block) if text]


def texts_of_system(system: Iterable[Text]) -> list[bytes]:
    """Return those of a system prompt."""
    return [block.text.encode() for block in system if block.text]


def texts_of_tools(tools: Iterable[Tool]) -> list[bytes]:
    """Return those of the tools that are offered."""
    return [text for text in map(_of_tool, tools) if text]


def _of_block(block: ContentBlock) -> Iterator[bytes]:
    match block:
        case Text(text=text):
            yield text.encode()
        case ToolCall(name=name, input=given) | ServerToolCall(name=name, input=given):
            yield name.encode() + b" " + (given.data if isinstance(given, Json) else given.encode())
        case ToolResult(content=content):
            for part in content:
                yield from _of_block(part)
        case ToolReference(name=name):
            yield name.encode()
        case Document(source=Inline(encoding="text", data=data)):
            yield data.encode()
        case ServerToolResult(content=data) | Opaque(data=data):
            yield data.data
        case _:  # media and thinking
            return


def _of_tool(tool: Tool) -> bytes:
    match tool:
        case FunctionTool(name=name, description=description, schema=schema):
            return b" ".join((name.encode(), description.encode(), schema.data))
        case FreeformTool(name=name, description=description, grammar=grammar):
            return b" ".join((name.encode(), description.encode(), grammar.data if grammar else b""))
        case _:
            return tool.data.data
