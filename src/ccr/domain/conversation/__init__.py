"""Messages, tool calls and what surrounds them, in the words of no dialect."""

from __future__ import annotations

from ccr.domain.conversation.blocks import (
    CacheMark,
    ContentBlock,
    Document,
    Image,
    Opaque,
    ResultPart,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
)
from ccr.domain.conversation.citations import Citation
from ccr.domain.conversation.conversation import (
    Conversation,
    Effort,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    Turn,
)
from ccr.domain.conversation.media import FileRef, Inline, Source, Url
from ccr.domain.conversation.tools import (
    FreeformTool,
    FunctionTool,
    HostedTool,
    SearchOptions,
    Tool,
    ToolChoice,
    ToolMode,
)

__all__ = [
    "CacheMark",
    "Citation",
    "ContentBlock",
    "Conversation",
    "Document",
    "Effort",
    "FileRef",
    "FreeformTool",
    "FunctionTool",
    "HostedTool",
    "Image",
    "Inline",
    "Opaque",
    "OutputFormat",
    "Reasoning",
    "ReasoningMode",
    "ResultPart",
    "Role",
    "Sampling",
    "SearchOptions",
    "ServerToolCall",
    "ServerToolResult",
    "Source",
    "Text",
    "Thinking",
    "Tool",
    "ToolCall",
    "ToolChoice",
    "ToolMode",
    "ToolReference",
    "ToolResult",
    "Turn",
    "Url",
]
