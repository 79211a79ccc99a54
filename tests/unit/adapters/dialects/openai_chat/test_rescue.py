from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve
from hypothesis import given

from ccr.adapters.dialects.openai_chat.mend import mend
from ccr.adapters.dialects.openai_chat.rescue import Rescue, printed_calls
from ccr.adapters.wire import json
from ccr.domain.conversation import Citation, Conversation, FunctionTool, Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamProtocolError
from ccr.domain.models import ModelProfile
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    StreamGrammar,
    TextDelta,
    UsageUpdate,
    fold,
    unfold,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.assembly import assembled, openai_chunks, streamed
from tests.support.strategies import replies

TOOLS = ("Read", "Write")
CALL = '{"name": "Read", "arguments": {"file_path": "/a"}}'


@pytest.mark.parametrize(
    "text, calls",
    [
        (CALL, [("Read", '{"file_path":"/a"}')]),
        (f" \n{CALL}\n", [("Read", '{"file_path":"/a"}')]),
        ('{"name":"Read","parameters":{}}', [("Read", "{}")]),
        ('{"name":"Read","arguments":"{\\"a\\":1}"}', [("Read", '{"a":1}')]),
        (f"<tool_call>\n{CALL}\n</tool_call>", [("Read", '{"file_path":"/a"}')]),
        (
            f"<tool_call>{CALL}</tool_call> <tool_call>{CALL}</tool_call>",
            [("Read", '{"file_path":"/a"}')] * 2,
        ),
        (f"<tool_call>{CALL}</tool_call> and then", []),
        (f"<tool_call>{CALL}", []),
        ("<tool_call>nothing</tool_call>", []),
        ('{"name":"Paint","arguments":{}}', []),
        ('{"name":"Read","arguments":[]}', []),
        ('{"name":"Read","arguments":"nothing"}', []),
        ('{"name":"Read","arguments":{},"more":1}', []),
        ('{"name":5,"arguments":{}}', []),
        ('{"name":"Read","age":5}', []),
        ('{"name":"\ud800","arguments":{}}', []),
        ("[1,2]", []),
        ("", []),
    ],
)
def test_only_a_text_that_is_nothing_but_calls_is_taken_for_them(text: str, calls: list[Any]) -> None:
    assert printed_calls(text, TOOLS) == calls


def through(events: list[StreamEvent]) -> list[StreamEvent]:
    stage = Rescue(TOOLS)
    passed = [event for one in events for event in stage.feed([one])]
    StreamGrammar().check(passed)
    return passed


def said(*texts: str, reason: StopReason = StopReason.END_TURN) -> list[StreamEvent]:
    return [
        MessageStart("msg/1", "x"),
        BlockStart(0, Text("")),
        *map(TextDelta, texts),
        BlockStop(0),
        UsageUpdate(Usage(output=3)),
        MessageStop(reason),
    ]


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("text", [CALL, f"<tool_call>{CALL}</tool_call>"])
def test_a_printed_call_becomes_a_call(text: str, size: int) -> None:
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    reply = fold(through(said(*pieces)))

    assert reply.blocks == (ToolCall("call_msg1_0", "Read", Json(b'{"file_path":"/a"}')),)
    assert reply.reason is StopReason.TOOL_USE
    assert reply.usage.output == 3


@pytest.mark.parametrize(
    "text",
    ["Hello", "  Hello", "{", '{"nam', '{ "name" : "x"}', '{"other": 1}', "<tool", "<b>", "", CALL + "."],
)
def test_other_text_stays_text(text: str) -> None:
    events = said(*text)

    assert fold(through(events)) == fold(events)


def test_ordinary_text_is_not_held() -> None:
    stage = Rescue(TOOLS)
    stage.feed(said()[:2])

    assert stage.feed([TextDelta("Hello")]) == [BlockStart(0, Text("")), TextDelta("Hello")]
    assert stage.feed([TextDelta(" you")]) == [TextDelta(" you")]


def test_a_text_that_was_cut_off_is_no_call() -> None:
    assert fold(through(said(CALL, reason=StopReason.MAX_TOKENS))).reason is StopReason.MAX_TOKENS


def test_beside_a_real_call_a_printed_one_is_talk() -> None:
    real = ToolCall("t", "Write", Json(b"{}"))
    for blocks in (
        (Text(CALL), real),
        (real, Text(CALL)),
        (Text(CALL), Thinking("hm"), Text("so")),
        (Text(CALL), Text(CALL)),
    ):
        reply = Reply("m", "x", blocks, StopReason.END_TURN)
        mended = fold(through(unfold(reply)))

        assert mended.blocks[0] == blocks[0]


def test_a_call_after_other_text_is_found_where_it_stands_alone_in_its_block() -> None:
    reply = Reply("m", "x", (Text("Let me see"), Text(CALL)), StopReason.END_TURN)

    assert [type(block) for block in fold(through(unfold(reply))).blocks] == [Text, ToolCall]


def test_a_failed_stream_and_a_citation_give_back_what_was_held() -> None:
    error = StreamFailed(UpstreamProtocolError("cut"))
    for event in (error, CitationDelta(Citation("url"))):
        events = [*said(CALL)[:3], event]

        assert through(events) == events


def test_an_endless_call_is_let_go() -> None:
    text = '{"name": "Read", "arguments": {"a": "' + "x" * (1024 * 1024)
    stage = Rescue(TOOLS)
    stage.feed(said()[:2])

    assert stage.feed([TextDelta(text)])[-1] == TextDelta(text)


@given(replies())
def test_replies_without_printed_calls_pass_as_they_are(reply: Reply) -> None:
    assert fold(through(unfold(reply))) == fold(unfold(reply))


def test_all_mending_is_one_stage_and_none_without_tools() -> None:
    bare = Conversation("m", ())
    long = FunctionTool("mcp__" + "x" * 80)

    assert mend(bare, ModelProfile()) is None
    stage = mend(evolve(bare, tools=(long,)), ModelProfile())
    assert stage is not None
    assert stage.feed([MessageStart("m", "x")]) == [MessageStart("m", "x")]


READ = {
    "name": "Read",
    "input_schema": {
        "type": "object",
        "properties": {"file_path": {"type": "string"}, "pages": {"type": "string"}},
        "required": ["file_path"],
    },
}


@pytest.mark.anyio
async def test_through_the_gateway_a_printed_call_arrives_as_a_call() -> None:
    async with assembled(streamed(openai_chunks("<tool_call>", CALL, "</tool_call>"))) as bench:
        _, body = await bench.ask(model="oai,m1", tools=[READ])

    assert b'"type":"tool_use"' in body
    assert b'"stop_reason":"tool_use"' in body


@pytest.mark.anyio
async def test_through_the_gateway_empty_pages_do_not_arrive() -> None:
    function = {"name": "Read", "arguments": '{"file_path":"/a","pages":""}'}
    delta = {"tool_calls": [{"index": 0, "id": "t", "type": "function", "function": function}]}
    chunk = {"id": "c", "model": "m1", "choices": [{"index": 0, "delta": delta}]}
    stream = b"data: " + json.encode(chunk) + b"\n\n" + openai_chunks(finish="tool_calls")
    async with assembled(streamed(stream)) as bench:
        _, body = await bench.ask(model="oai,m1", tools=[READ])

    assert b"file_path" in body
    assert b"pages" not in body
