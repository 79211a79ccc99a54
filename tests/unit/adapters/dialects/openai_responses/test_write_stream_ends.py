"""The edges of a streamed response: its exact frames, whose tokens it tells, and that nothing follows the end."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_responses.echo import Echo
from ccr.adapters.dialects.openai_responses.write_stream import COMMENT, ResponsesStreamEncoder
from ccr.adapters.wire.envelope import unwrap
from ccr.domain.conversation import (
    Citation,
    Opaque,
    ServerToolCall,
    ServerToolResult,
    Text,
    Thinking,
    ToolCall,
)
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    CitationDelta,
    MessageStart,
    MessageStop,
    SealDelta,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ThinkingDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.responses import FACTS, client, frames

BEGIN = MessageStart("r", "m")
END = MessageStop(StopReason.END_TURN)
FAILED = StreamFailed(UpstreamUnavailableError("gone"))
SIGNED = Seal(Origin("gemini", "g", "m"), "signature", "sig")
SEARCH = ServerToolCall("srv_1", "web_search", "")
FOUND = ServerToolResult("srv_1", "web_search_tool_result", Json(b"[]"), "anthropic")
ECHO = Echo(freeform=frozenset({"apply_patch"}))


def encoder(echo: Echo | None = None) -> ResponsesStreamEncoder:
    return client().stream_encoder(FACTS, echo)


def framed(told: list[dict[str, Any]]) -> bytes:
    """The payloads as the API frames them, and nothing between them."""
    return b"".join(
        b"event: %s\ndata: %s\n\n" % (one["type"].encode(), msgspec.json.encode(one)) for one in told
    )


def test_a_stream_is_frames_and_nothing_between_them() -> None:
    cited = CitationDelta(Citation("url", url="https://a"))
    stream = encoder(ECHO).feed(
        [
            *(BEGIN, BlockStart(0, Thinking("")), ThinkingDelta("h"), ThinkingDelta("m"), BlockStop(0)),
            *(BlockStart(1, Text("")), TextDelta("a"), TextDelta("b"), cited, BlockStop(1)),
            *(BlockStart(2, ToolCall("t", "Bash", "")), ToolInputDelta("{}"), BlockStop(2)),
            *(BlockStart(3, ToolCall("u", "apply_patch", "")), ToolInputDelta("***"), BlockStop(3)),
            *(BlockStart(4, SEARCH), ToolInputDelta("{}"), BlockStop(4), BlockStart(5, FOUND), BlockStop(5)),
            END,
        ]
    )
    told = frames(stream)
    assert [one["sequence_number"] for one in told] == list(range(len(told)))
    places = [one["output_index"] for one in told if "output_index" in one]
    assert places == sorted(places)
    assert set(places) == {0, 1, 2, 3, 4}
    assert stream == framed(told)


def test_a_response_is_a_stream_of_events() -> None:
    assert encoder().content_type == "text/event-stream; charset=utf-8"


def test_the_first_keep_alive_opens_the_response_at_once() -> None:
    writer = encoder()
    opened = writer.keep_alive()
    assert opened == framed(frames(opened)) + COMMENT
    assert [one["type"] for one in frames(opened)] == ["response.created", "response.in_progress"]
    assert writer.keep_alive() == COMMENT
    assert writer.feed([BEGIN]) == b""


@pytest.mark.parametrize("last", [END, FAILED])
def test_nothing_comes_after_the_end(last: StreamEvent) -> None:
    writer = encoder()
    assert writer.feed([BEGIN, last, TextDelta("late"), END]) == encoder().feed([BEGIN, last])
    assert writer.feed([TextDelta("late"), END, FAILED]) == writer.keep_alive() == b""


@pytest.mark.parametrize("last", [MessageStop(StopReason.END_TURN, usage=Usage(reasoning=1)), FAILED])
def test_usage_is_what_start_updates_and_stop_say_together(last: StreamEvent) -> None:
    start = MessageStart("r", "m", Usage(cache_read=10))
    updates = (UsageUpdate(Usage(5, output=1)), UsageUpdate(Usage(output=2)))
    usage = frames(encoder().feed([start, *updates, last]))[-1]["response"]["usage"]
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (15, 2, 17)
    assert usage["input_tokens_details"]["cached_tokens"] == 10
    assert usage["output_tokens_details"]["reasoning_tokens"] == (0 if last is FAILED else 1)


def test_no_item_keeps_anything_of_the_one_before() -> None:
    cited = CitationDelta(Citation("url", url="https://a"))
    stream = encoder().feed(
        [
            *(BEGIN, BlockStart(0, Text("")), TextDelta("a"), cited, BlockStop(0)),
            *(BlockStart(1, Text("")), TextDelta("b"), BlockStop(1)),
            *(BlockStart(2, Thinking("")), ThinkingDelta("c"), SealDelta(SIGNED), BlockStop(2)),
            *(BlockStart(3, Thinking("")), ThinkingDelta("d"), BlockStop(3)),
            *(BlockStart(4, ToolCall("t", "Bash", "")), ToolInputDelta("{}"), BlockStop(4), END),
        ]
    )
    first, second, sealed, bare, call = frames(stream)[-1]["response"]["output"]
    assert [one["url"] for one in first["content"][0]["annotations"]] == ["https://a"]
    assert second["content"] == [{"type": "output_text", "text": "b", "annotations": [], "logprobs": []}]
    assert sealed["encrypted_content"] != bare["encrypted_content"]
    assert bare["summary"] == [{"type": "summary_text", "text": "d"}]
    assert call["arguments"] == "{}"
    assert len({one["id"] for one in (first, second, sealed, bare, call)}) == 5


def test_names_stand_in_where_the_provider_gives_none() -> None:
    opened = frames(encoder().feed([MessageStart("", "")]))[0]["response"]
    assert (opened["id"], opened["model"]) == ("resp_ccr_t", "asked")


def test_a_failed_response_holds_what_there_was() -> None:
    said: list[StreamEvent] = [
        BEGIN,
        BlockStart(0, Text("")),
        TextDelta("a"),
        BlockStop(0),
        UsageUpdate(Usage(output=2)),
        FAILED,
    ]
    failed = frames(client().stream_encoder(FACTS, None, input_estimate=9).feed(said))[-1]["response"]
    assert [item["content"][0]["text"] for item in failed["output"]] == ["a"]
    assert (failed["usage"]["input_tokens"], failed["usage"]["output_tokens"]) == (9, 2)


def test_a_search_is_not_told_what_another_tool_found() -> None:
    ran = ServerToolResult(
        "s", "code_execution_tool_result", Json(b'{"error_code":"unavailable"}'), "anthropic"
    )
    stream = encoder().feed(
        [BEGIN, BlockStart(0, SEARCH), BlockStop(0), BlockStart(1, ran), BlockStop(1), END]
    )
    (item,) = frames(stream)[-1]["response"]["output"]
    assert item["status"] == "completed"
    assert item["action"] == {"type": "search", "query": ""}


def test_an_item_that_comes_whole_is_added_and_done() -> None:
    own = Opaque("openai_responses", "mcp_list_tools", Json(b'{"id":"mcp_1","type":"mcp_list_tools"}'))
    _, _, added, done, _ = frames(encoder().feed([BEGIN, BlockStart(0, own), BlockStop(0), END]))
    assert (added["type"], done["type"]) == ("response.output_item.added", "response.output_item.done")
    assert added["item"] == done["item"] == {"id": "mcp_1", "type": "mcp_list_tools"}


def test_a_freeform_call_is_added_without_its_text() -> None:
    patch = ToolCall("c", "apply_patch", Json(b"***"))
    _, _, added, *_, done, _ = frames(encoder(ECHO).feed([BEGIN, BlockStart(0, patch), BlockStop(0), END]))
    item = {"id": "ctc_ccr_t_1", "type": "custom_tool_call", "call_id": "c", "name": "apply_patch"}
    assert added["item"] == {**item, "input": ""}
    assert done["item"] == {**item, "input": "***"}


@pytest.mark.parametrize("empty", ["", Json(b"{}")])
def test_an_empty_input_at_the_start_is_no_part_of_the_input(empty: Json | str) -> None:
    call = ToolCall("c", "Read", empty)
    filled: list[StreamEvent] = [BEGIN, BlockStart(0, call), ToolInputDelta('{"a":1}'), BlockStop(0), END]
    told = frames(encoder().feed(filled))
    assert [one["delta"] for one in told if "delta" in one] == ['{"a":1}']
    assert told[-1]["response"]["output"][0]["arguments"] == '{"a":1}'


def test_the_item_that_carries_a_seal_is_added_and_done() -> None:
    sealed = ToolCall("c", "Read", "", seal=SIGNED)
    told = frames(encoder().feed([BEGIN, BlockStart(0, sealed), ToolInputDelta("{}"), BlockStop(0), END]))
    about = [(one["type"].rpartition(".")[2], one["item"]["type"]) for one in told if "item" in one]
    assert about == [
        ("added", "reasoning"),
        ("done", "reasoning"),
        ("added", "function_call"),
        ("done", "function_call"),
    ]


def between(*events: StreamEvent) -> list[dict[str, Any]]:
    """What is told between an item that is added and the same item done, without what is the same everywhere."""
    told = frames(encoder(ECHO).feed([BEGIN, *events, END]))[3:-2]
    same = {"sequence_number", "item_id", "output_index"}
    assert {one["output_index"] for one in told} == {0}
    assert len({one["item_id"] for one in told}) == 1
    return [{name: value for name, value in one.items() if name not in same} for one in told]


def test_everything_between_a_message_that_is_added_and_done() -> None:
    cited = CitationDelta(Citation("url", url="https://a", title="A"))
    note = {"type": "url_citation", "start_index": 0, "end_index": 2, "title": "A", "url": "https://a"}
    place: dict[str, object] = {"content_index": 0}
    part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
    full = {**part, "text": "ab", "annotations": [note]}
    delta = {"type": "response.output_text.delta", **place, "logprobs": []}
    assert between(BlockStart(0, Text("")), TextDelta("a"), TextDelta("b"), cited, BlockStop(0)) == [
        {"type": "response.content_part.added", **place, "part": part},
        {**delta, "delta": "a"},
        {**delta, "delta": "b"},
        {"type": "response.output_text.annotation.added", **place, "annotation_index": 0, "annotation": note},
        {"type": "response.output_text.done", **place, "text": "ab", "logprobs": []},
        {"type": "response.content_part.done", **place, "part": full},
    ]


def test_everything_between_reasoning_that_is_added_and_done() -> None:
    place: dict[str, object] = {"summary_index": 0}
    part = {"type": "summary_text", "text": ""}
    delta = {"type": "response.reasoning_summary_text.delta", **place}
    assert between(BlockStart(0, Thinking("")), ThinkingDelta("a"), ThinkingDelta("b"), BlockStop(0)) == [
        {"type": "response.reasoning_summary_part.added", **place, "part": part},
        {**delta, "delta": "a"},
        {**delta, "delta": "b"},
        {"type": "response.reasoning_summary_text.done", **place, "text": "ab"},
        {"type": "response.reasoning_summary_part.done", **place, "part": {**part, "text": "ab"}},
    ]


def test_everything_between_a_call_that_is_added_and_done() -> None:
    inputs = (ToolInputDelta('{"a"'), ToolInputDelta(":1}"), BlockStop(0))
    delta = {"type": "response.function_call_arguments.delta"}
    assert between(BlockStart(0, ToolCall("c", "Read", "")), *inputs) == [
        {**delta, "delta": '{"a"'},
        {**delta, "delta": ":1}"},
        {"type": "response.function_call_arguments.done", "arguments": '{"a":1}', "name": "Read"},
    ]
    assert between(BlockStart(0, ToolCall("c", "apply_patch", "")), *inputs) == [
        {"type": "response.custom_tool_call_input.delta", "delta": '{"a":1}'},
        {"type": "response.custom_tool_call_input.done", "input": '{"a":1}'},
    ]


def test_everything_between_a_search_that_is_added_and_done() -> None:
    asked = (BlockStart(0, SEARCH), ToolInputDelta('{"query":"q"}'), BlockStop(0))
    steps = ("in_progress", "searching", "completed")
    told = [{"type": f"response.web_search_call.{step}"} for step in steps]
    assert between(*asked, BlockStart(1, FOUND), BlockStop(1)) == told
    added, done = (one["item"] for one in frames(encoder().feed([BEGIN, *asked, END])) if "item" in one)
    action = {"type": "search", "query": ""}
    assert added == {**done, "status": "in_progress", "action": action}
    assert done["action"] == {**action, "query": "q"}


def test_what_came_with_the_start_of_a_block_is_told_at_its_end() -> None:
    thought: list[StreamEvent] = [BlockStart(0, Thinking("", SIGNED)), ThinkingDelta("a"), BlockStop(0)]
    asked = ServerToolCall("srv_1", "web_search", Json(b'{"query":"q"}'))
    stream = encoder().feed([BEGIN, *thought, BlockStart(1, asked), BlockStop(1), END])
    reasoning, search = frames(stream)[-1]["response"]["output"]
    assert unwrap(reasoning["encrypted_content"]) == SIGNED
    assert search["action"]["query"] == "q"


def test_half_a_character_is_replaced_wherever_it_comes() -> None:
    half = (ToolInputDelta('{"a":"\ud83d"}'), BlockStop(0))
    *_, done = between(BlockStart(0, ToolCall("c", "Read", "")), *half)
    assert done["arguments"] == '{"a":"?"}'
    *_, thought = between(BlockStart(0, Thinking("")), ThinkingDelta("a\ud83d"), BlockStop(0))
    assert thought["part"]["text"] == "a?"
    *_, said = between(BlockStart(0, Text("")), TextDelta("a\ud83d"), BlockStop(0))
    assert said["part"]["text"] == "a?"


def test_hidden_thinking_is_added_and_done_and_nothing_between() -> None:
    said: list[StreamEvent] = [BEGIN, BlockStart(0, Text("")), TextDelta("a"), BlockStop(0)]
    told = frames(encoder().feed([*said, BlockStart(1, Thinking("")), SealDelta(SIGNED), BlockStop(1), END]))
    added, done, _ = told[-3:]
    item = {"id": "rs_ccr_t_2", "type": "reasoning", "summary": []}
    assert (added["type"], added["item"]) == ("response.output_item.added", item)
    assert done["type"] == "response.output_item.done"
    assert {**item, "encrypted_content": done["item"]["encrypted_content"]} == done["item"]


def _called(given: str, name: str = "Bash") -> list[StreamEvent]:
    return [BEGIN, BlockStart(0, ToolCall("c", name, "")), ToolInputDelta(given), BlockStop(0)]


@pytest.mark.parametrize(
    "after",
    [MessageStop(StopReason.TOOL_USE), END, BlockStart(1, Text("")), MessageStart("r", "m")],
    ids=["the turn ends", "the reply ends", "another block", "out of order"],
)
def test_a_call_with_broken_input_is_never_done(after: StreamEvent) -> None:
    told = frames(encoder().feed([*_called('{"command":"rm'), UsageUpdate(Usage(output=1)), after]))

    kinds = [one["type"] for one in told]
    assert kinds[-1] == "response.failed"
    assert "broken JSON" in told[-1]["response"]["error"]["message"]
    assert not any(kind.endswith(("arguments.done", "output_item.done")) for kind in kinds)
    assert told[-1]["response"]["output"] == []


def test_a_call_that_was_cut_short_is_told_as_far_as_it_came() -> None:
    told = frames(encoder().feed([*_called('{"command":"rm'), MessageStop(StopReason.MAX_TOKENS)]))

    assert [one["type"] for one in told][-3:] == [
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.incomplete",
    ]
    assert told[-1]["response"]["output"][0]["status"] == "incomplete"


def test_after_a_broken_call_an_error_of_the_provider_is_told() -> None:
    told = frames(encoder().feed([*_called('{"command":"rm'), FAILED]))

    assert told[-1]["response"]["error"]["message"] == "gone"


def test_what_a_freeform_tool_is_given_is_text() -> None:
    told = frames(encoder(ECHO).feed([*_called('{"patch', "apply_patch"), MessageStop(StopReason.TOOL_USE)]))

    assert told[-1]["type"] == "response.completed"
    assert told[-1]["response"]["output"][0]["input"] == '{"patch'
