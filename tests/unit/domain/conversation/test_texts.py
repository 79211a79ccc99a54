from __future__ import annotations

from ccr.domain.conversation import (
    Conversation,
    Document,
    FreeformTool,
    FunctionTool,
    HostedTool,
    Image,
    Inline,
    Opaque,
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Turn,
)
from ccr.domain.conversation.texts import texts_of
from ccr.domain.verbatim import Json


def test_words_count_and_media_and_thinking_do_not() -> None:
    blocks = (
        Text("a"),
        Thinking("no"),
        Image(Inline("image/png", "no")),
        Document(Inline("application/pdf", "no")),
        Document(Inline("text/plain", "b", "text")),
        ToolCall("no", "c", Json(b'{"d":1}')),
        ServerToolCall("no", "e", "f"),
        ToolResult("no", (Text("g"), Text(""), ToolReference("h"))),
        ServerToolResult("no", "no", Json(b"[7]")),
        Opaque("anthropic", "no", Json(b"{}")),
    )
    tools = (
        FunctionTool("t", "u", Json(b"{1}")),
        FreeformTool("v", "w"),
        FreeformTool("v", "w", Json(b"{2}")),
        HostedTool("no", "no", "anthropic", Json(b"{3}")),
    )

    assert texts_of(Conversation("m", (Turn(Role.USER, blocks),), (Text("s"),), tools)) == [
        *(b"s", b"a", b"b", b'c {"d":1}', b"e f", b"g", b"h", b"[7]", b"{}"),
        *(b"t u {1}", b"v w ", b"v w {2}", b"{3}"),
    ]
