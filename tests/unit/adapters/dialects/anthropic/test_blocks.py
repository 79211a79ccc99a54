from __future__ import annotations

import json

import pytest

from ccr.adapters.dialects.anthropic.blocks import read_block, read_blocks, read_citation
from ccr.adapters.dialects.anthropic.wire import Raw
from ccr.adapters.dialects.anthropic.write_blocks import write_blocks
from ccr.adapters.wire.json import encode_wire
from ccr.domain.conversation import (
    CacheMark,
    Citation,
    ContentBlock,
    Document,
    FileRef,
    Image,
    Inline,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
    ToolReference,
    ToolResult,
    Url,
)
from ccr.domain.errors import InvalidRequestError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import EMPTY_OBJECT, Json

HOME = Origin("anthropic")
CITED = {
    "type": "char_location",
    "cited_text": "c",
    "document_title": "d",
    "start_char_index": 1,
    "end_char_index": 2,
}


def raw(value: object) -> Raw:
    return Raw(json.dumps(value, separators=(",", ":")).encode())


def text_of(value: object) -> Json:
    return Json(bytes(raw(value)))


CASES: list[tuple[dict[str, object], ContentBlock]] = [
    ({"type": "text", "text": "t"}, Text("t")),
    ({"type": "text", "text": "t", "cache_control": {"type": "ephemeral"}}, Text("t", CacheMark())),
    (
        {"type": "text", "text": "t", "citations": [CITED]},
        Text("t", citations=(Citation("char", "c", "", "d", 1, 2, "anthropic", text_of(CITED)),)),
    ),
    (
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}},
        Image(Inline("image/png", "aGk=")),
    ),
    ({"type": "image", "source": {"type": "url", "url": "u"}}, Image(Url("u"))),
    (
        {
            "type": "document",
            "source": {"type": "text", "media_type": "text/plain", "data": "x"},
            "title": "a",
            "context": "b",
            "citations": {"enabled": True},
        },
        Document(Inline("text/plain", "x", "text"), "a", "b", citations=True),
    ),
    ({"type": "document", "source": {"type": "file", "file_id": "f"}}, Document(FileRef("f"))),
    ({"type": "thinking", "thinking": "h", "signature": "s"}, Thinking("h", Seal(HOME, "signature", "s"))),
    ({"type": "thinking", "thinking": "h", "signature": ""}, Thinking("h")),
    ({"type": "redacted_thinking", "data": "z"}, Thinking("", Seal(HOME, "redacted", "z"))),
    ({"type": "tool_use", "id": "i", "name": "n", "input": {"a": [1]}}, ToolCall("i", "n", Json(b'{"a":[1]}'))),
    ({"type": "tool_use", "id": "i", "name": "n", "input": {}}, ToolCall("i", "n", EMPTY_OBJECT)),
    (
        {"type": "server_tool_use", "id": "srvtoolu_1", "name": "n", "input": {}},
        ServerToolCall("srvtoolu_1", "n"),
    ),
    ({"type": "tool_result", "tool_use_id": "i"}, ToolResult("i")),
    (
        {"type": "tool_result", "tool_use_id": "i", "content": "x", "is_error": True},
        ToolResult("i", (Text("x"),), is_error=True, plain=True),
    ),
    ({"type": "tool_result", "tool_use_id": "i", "content": ""}, ToolResult("i", (Text(""),), plain=True)),
    (
        {
            "type": "tool_result",
            "tool_use_id": "i",
            "content": [
                {"type": "text", "text": "x"},
                {"type": "tool_reference", "tool_name": "n"},
                {"type": "search_result", "source": 7},
                {"type": "tool_use", "id": "odd", "name": "here", "input": {}},
            ],
        },
        ToolResult(
            "i",
            (
                Text("x"),
                ToolReference("n"),
                Opaque("anthropic", "search_result", text_of({"type": "search_result", "source": 7})),
                Opaque(
                    "anthropic", "tool_use", text_of({"type": "tool_use", "id": "odd", "name": "here", "input": {}})
                ),
            ),
        ),
    ),
    (
        {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [{"a": 1}]},
        ServerToolResult("srvtoolu_1", "web_search_tool_result", Json(b'[{"a":1}]'), "anthropic"),
    ),
    ({"type": "novel", "text": 7}, Opaque("anthropic", "novel", Json(b'{"type":"novel","text":7}'))),
    ({"type": "novel", "x": 7}, Opaque("anthropic", "novel", Json(b'{"type":"novel","x":7}'))),
    (
        {"type": "document", "source": {"type": "content", "content": []}},
        Opaque("anthropic", "document", text_of({"type": "document", "source": {"type": "content", "content": []}})),
    ),
    (
        {"type": "image", "source": {"type": "new", "data": 7}},
        Opaque("anthropic", "image", text_of({"type": "image", "source": {"type": "new", "data": 7}})),
    ),
]  # fmt: skip


@pytest.mark.parametrize("wire, block", CASES)
def test_a_block_is_read_alone_and_in_a_list_and_written_back(
    wire: dict[str, object], block: ContentBlock
) -> None:
    assert read_block(raw(wire), "b") == block
    assert read_blocks(raw([wire]), "c") == (block,)
    assert json.loads(encode_wire(write_blocks([block]))) == [wire]


def test_content_that_is_a_string_is_one_text() -> None:
    assert read_blocks(raw("x"), "c") == (Text("x"),)


def test_a_missing_input_is_an_empty_object() -> None:
    assert read_block(raw({"type": "tool_use", "id": "i", "name": "n", "input": None}), "b") == ToolCall(
        "i", "n"
    )
    assert read_block(raw({"type": "tool_use", "id": "i", "name": "n"}), "b") == ToolCall("i", "n")


@pytest.mark.parametrize(
    "wire, param",
    [
        (7, "c[0]"),
        ({}, "c[0].type"),
        ({"text": "x"}, "c[0].type"),
        ({"type": 7}, "c[0].type"),
        ({"type": "text", "text": 7}, "c[0].text"),
        ({"type": "text", "text": "", "citations": [[7], "x"], "cache_control": 7}, "c[0].cache_control"),
        ({"type": "image"}, "c[0].source"),
        ({"type": "image", "source": {"type": "base64", "data": 7}}, "c[0].source.data"),
        ({"type": "tool_use", "name": "n"}, "c[0].id"),
        ({"type": "tool_use", "id": "i"}, "c[0].name"),
        ({"type": "tool_use", "id": "i", "name": "n", "input": "x"}, "c[0].input"),
        ({"type": "tool_result"}, "c[0].tool_use_id"),
        ({"type": "tool_result", "tool_use_id": "i", "content": 7}, "c[0].content"),
        ({"type": "tool_result", "tool_use_id": "i", "content": [{"type": "text", "text": 7}]}, "c[0].content[0].text"),
        ({"type": "tool_reference"}, "c[0].tool_name"),
    ],
)  # fmt: skip
def test_a_block_of_the_wrong_shape_is_named(wire: object, param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_blocks(raw([wire]), "c")

    assert caught.value.param == param


@pytest.mark.parametrize(
    "wire, expected",
    [
        (
            {"type": "web_search_result_location", "url": "u", "title": "t", "cited_text": "c"},
            ("url", "c", "u", "t", None, None),
        ),
        (
            {"type": "page_location", "start_page_number": 1, "end_page_number": 2},
            ("page", "", "", "", 1, 2),
        ),
        ({"type": "search_result_location", "source": "s"}, ("search_result", "", "s", "", None, None)),
        ({"type": "new", "title": 7}, ("new", "", "", "", None, None)),
        (7, ("", "", "", "", None, None)),
    ],
)
def test_citations_are_understood_as_far_as_it_goes(wire: object, expected: tuple[object, ...]) -> None:
    found = read_citation(raw(wire))

    assert (found.kind, found.cited_text, found.url, found.title, found.start, found.end) == expected
    assert found.rest == text_of(wire)
