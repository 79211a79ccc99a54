from __future__ import annotations

import json
from typing import get_args

import pytest

from ccr.adapters.dialects.anthropic import write_blocks as module
from ccr.adapters.dialects.anthropic.write_blocks import write_blocks
from ccr.adapters.wire.json import encode_wire
from ccr.domain.conversation import (
    CacheMark,
    Citation,
    ContentBlock,
    Opaque,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json


def written(*blocks: ContentBlock) -> object:
    return json.loads(encode_wire(write_blocks(blocks)))


def test_there_is_a_writer_for_every_block() -> None:
    assert set(module._WRITERS) == set(get_args(ContentBlock))


def test_what_another_dialect_alone_can_read_is_left_out() -> None:
    foreign = Opaque("openai_chat", "x", Json(b"{}"))

    assert written(foreign, ServerToolResult("i", "x_tool_result", Json(b"[]"), "openai_chat")) == []


@pytest.mark.parametrize(
    "block, expected",
    [
        (
            ToolCall("i", "n", "free"),
            {"type": "tool_use", "id": "i", "name": "n", "input": {"input": "free"}},
        ),
        (ToolCall("i", "n", ""), {"type": "tool_use", "id": "i", "name": "n", "input": {}}),
        (
            ToolResult("i", (Text("a"), Text("b")), plain=True, cache=CacheMark("1h")),
            {
                "type": "tool_result",
                "tool_use_id": "i",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
                "cache_control": {"type": "ephemeral", "ttl": "1h"},
            },
        ),
        (
            Text("t", citations=(Citation("url", "c", "u", "t"), Citation("file"))),
            {
                "type": "text",
                "text": "t",
                "citations": [
                    {
                        "type": "web_search_result_location",
                        "url": "u",
                        "title": "t",
                        "encrypted_index": "",
                        "cited_text": "c",
                    }
                ],
            },
        ),
    ],
)
def test_blocks_that_came_from_elsewhere(block: ContentBlock, expected: object) -> None:
    assert written(block) == [expected]


def test_another_dialects_seal_is_carried_in_the_signature() -> None:
    (wire,) = write_blocks([Thinking("h", Seal(Origin("gemini"), "thought", "s"))])

    assert isinstance(wire, dict)
    assert str(wire["signature"]).startswith("ccr1.")
