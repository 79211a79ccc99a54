"""What probes are made of: sentences, tools, a picture, a document."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Sequence
from functools import cache

from ccr.domain.conversation import (
    ContentBlock,
    Conversation,
    Document,
    FunctionTool,
    Image,
    Inline,
    ResultPart,
    Role,
    Text,
    ToolCall,
    ToolResult,
    Turn,
)
from ccr.domain.verbatim import Json

__all__ = [
    "CITY",
    "LONG",
    "PING",
    "SHORT",
    "TIME",
    "WEATHER",
    "after_tool",
    "assistant",
    "document",
    "picture",
    "said",
    "user",
]

SHORT, LONG = 1024, 4096
"""Output limits in tokens. A short one still leaves room for models that always think."""

WEATHER = FunctionTool(
    "get_weather",
    "Returns the current weather of one city.",
    Json(
        b'{"type":"object","properties":{"city":{"type":"string","description":"Name of the city"}},"required":["city"]}'
    ),
)
TIME = FunctionTool("get_time", "Returns the current time in one city.", WEATHER.schema)
PING = FunctionTool("ping", "Checks that the system is alive. Takes no arguments.")
CITY = Json(b'{"city":"Rome"}')
_CALL = "call_probe_1"
_SIDE = 64
_PAGE = b"BT /F1 36 Tf 72 700 Td (The code word is PELICAN) Tj ET"


def user(*blocks: ContentBlock | str) -> Turn:
    """Return what the user says."""
    return Turn(Role.USER, tuple(Text(block) if isinstance(block, str) else block for block in blocks))


def assistant(*blocks: ContentBlock | str) -> Turn:
    """Return what the model is made to have said."""
    return Turn(Role.ASSISTANT, tuple(Text(block) if isinstance(block, str) else block for block in blocks))


def said(*turns: Turn | str, max_tokens: int = SHORT) -> Conversation:
    """Return a conversation; a text is the user's."""
    made = tuple(user(turn) if isinstance(turn, str) else turn for turn in turns)
    return Conversation(model="", turns=made, max_tokens=max_tokens)


def after_tool(content: Sequence[ResultPart], question: str, *, is_error: bool = False) -> Sequence[Turn]:
    """Return the turns of a tool call whose result has just come."""
    return (
        user("What is the weather in Rome?"),
        assistant(ToolCall(_CALL, WEATHER.name, CITY)),
        user(ToolResult(_CALL, tuple(content), is_error=is_error), question),
    )


@cache
def picture() -> Image:
    """Return a red square, 64 by 64 pixels, as PNG."""
    row = b"\x00" + b"\xe0\x10\x10" * _SIDE
    head = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(row * _SIDE, 9)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, body) for kind, body in chunks)
    return Image(Inline("image/png", base64.b64encode(data).decode()))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


@cache
def document() -> Document:
    """Return a PDF of one page with one sentence."""
    objects = (
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(_PAGE), _PAGE),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    )
    data, places = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj%b endobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    size = len(objects) + 1
    end = b"xref\n0 %d\n0000000000 65535 f \n%btrailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n"
    data += end % (size, table, size, len(data))
    return Document(Inline("application/pdf", base64.b64encode(data).decode()), title="note.pdf")
