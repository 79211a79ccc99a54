from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_chat.optionals import Optionals, cleaned, droppable
from ccr.adapters.wire import json
from ccr.domain.conversation import FunctionTool, Text, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    ToolInputDelta,
)
from ccr.domain.verbatim import Json


def tool(name: str = "T", required: Any = (), **properties: Any) -> FunctionTool:
    schema = {"type": "object", "properties": properties, "required": list(required)}
    return FunctionTool(name, schema=Json(json.encode(schema)))


@pytest.mark.parametrize(
    "schema, null, empty",
    [
        ({"type": "string"}, True, False),
        ({"type": "number"}, True, True),
        ({"type": ["string", "null"]}, False, False),
        ({"type": ["integer", "null"]}, False, True),
        ({"type": "string", "nullable": True}, False, False),
        ({"type": "string", "minLength": 1}, True, True),
        ({"type": "string", "minLength": 0}, True, False),
        ({"type": "string", "format": "uri"}, True, True),
        ({"type": "string", "format": "password"}, True, False),
        ({"type": "string", "pattern": "^a+$"}, True, True),
        ({"type": "string", "pattern": "a*"}, True, False),
        ({"type": "string", "pattern": "(broken"}, True, False),
        ({"enum": ["a", "b"]}, True, True),
        ({"enum": ["", None]}, False, False),
        ({"const": "a"}, True, True),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, False, False),
        ({"oneOf": [{"type": "number"}, {"enum": ["a"]}]}, True, True),
        ({"anyOf": [True]}, False, False),
        ({}, False, False),
    ],
)
def test_what_a_schema_refuses_is_dropped(schema: dict[str, Any], null: bool, empty: bool) -> None:
    found = droppable(tool(p=schema)).get("p", frozenset())

    assert (None in found, "" in found) == (null, empty)


def test_required_parameters_are_never_touched() -> None:
    assert droppable(tool(required=["p"], p={"type": "number"})) == {}


def test_the_client_s_own_reader_refuses_empty_pages() -> None:
    read = tool("Read", ["file_path"], file_path={"type": "string"}, pages={"type": "string"})

    assert cleaned('{"file_path":"","pages":""}', droppable(read)) == '{"file_path":""}'


@pytest.mark.parametrize(
    "schema", [b"{", b"[]", b'{"type":"object"}', b'{"properties":{"a":true},"required":"a"}', b'"\\ud800"']
)
def test_a_schema_that_cannot_be_read_drops_nothing(schema: bytes) -> None:
    assert droppable(FunctionTool("T", schema=Json(schema))) == {}


@pytest.mark.parametrize("text", ["", "[1]", '{"p":', '{"p": 1}', '{"q": ""}', '{"p": {}}', "\ud800"])
def test_what_needs_no_change_stays_byte_for_byte(text: str) -> None:
    assert cleaned(text, {"p": frozenset({None, ""})}) == text


def reply(*inputs: str, name: str = "T") -> list[StreamEvent]:
    return [
        MessageStart("m", "x"),
        BlockStart(0, Text("")),
        TextDelta("so"),
        BlockStop(0),
        BlockStart(1, ToolCall("t", name, "")),
        *map(ToolInputDelta, inputs),
        BlockStop(1),
        MessageStop(StopReason.TOOL_USE),
    ]


def through(events: list[StreamEvent], size: int, *tools: FunctionTool) -> list[StreamEvent]:
    stage = Optionals({each.name: each for each in tools})
    passed = [e for at in range(0, len(events), size) for e in stage.feed(events[at : at + size])]
    StreamGrammar().check(passed)
    return passed


def input_of(events: list[StreamEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, ToolInputDelta))


@pytest.mark.parametrize("size", [1, 2, 100])
def test_null_and_empty_options_are_dropped_whatever_the_pieces(size: int) -> None:
    optional = tool(required=["a"], a={"type": "string"}, b={"type": "number"}, c={"type": "string"})
    passed = through(reply('{"a":"', '","b":"",', '"c":null}'), size, optional)

    assert input_of(passed) == '{"a":""}'


def test_a_tool_without_options_streams_live() -> None:
    events = reply('{"a"', ':""}')

    assert through(events, 1, tool(required=["a"], a={"type": "string"})) == events
    assert through(events, 1) == events


@given(st.dictionaries(st.sampled_from("abc"), st.text(min_size=1) | st.integers() | st.booleans()))
def test_valid_input_goes_out_as_it_came(values: dict[str, Any]) -> None:
    text = json.encode(values).decode()

    assert input_of(through(reply(text[:3], text[3:]), 1, tool(a={"type": "string"}))) == text


def test_a_stream_that_fails_gives_what_there_was() -> None:
    events = [*reply('{"a":nul')[:-2], StreamFailed(UpstreamProtocolError("cut"))]

    assert input_of(through(events, 1, tool(a={"type": "string"}))) == '{"a":nul'


def test_a_call_without_input_stays_without() -> None:
    assert input_of(through(reply(), 1, tool(a={"type": "string"}))) == ""
