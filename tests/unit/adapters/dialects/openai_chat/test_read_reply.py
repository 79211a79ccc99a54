from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_chat.read_reply import read_reply
from ccr.adapters.dialects.openai_chat.segments import SYNTHETIC_SEAL
from ccr.domain.conversation import Text, Thinking, ToolCall
from ccr.domain.errors import UpstreamLimitedError, UpstreamProtocolError
from ccr.domain.reply import Reply, StopReason
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json


def body(message: dict[str, Any], finish: str | None = "stop", **fields: Any) -> bytes:
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    return msgspec.json.encode({"id": "c1", "model": "tools", "choices": [choice], **fields})


def call(arguments: object, name: str = "Read", call_id: str = "a") -> dict[str, Any]:
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def test_the_answer_of_appendix_a2() -> None:
    said = {"prompt_tokens": 100, "completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": 40}}
    message = {"content": "Hello", "tool_calls": [call('{"x":1}'), call("{}", "Bash", "b")]}
    expected = Reply(
        "c1",
        "tools",
        (
            Text("Hello"),
            ToolCall("a", "Read", Json(b'{"x":1}')),
            ToolCall("b", "Bash", Json(b"{}")),
        ),
        StopReason.TOOL_USE,
        usage=Usage(input_uncached=60, cache_read=40, output=7),
    )
    assert expected == read_reply(body(message, "tool_calls", usage=said))


def test_thinking_comes_first() -> None:
    reply = read_reply(body({"content": "A", "reasoning_content": "hm"}))
    assert (Thinking("hm", SYNTHETIC_SEAL), Text("A")) == reply.blocks


def test_broken_arguments_are_a_failure() -> None:
    with pytest.raises(UpstreamProtocolError, match="'Bash' is not a JSON object"):
        read_reply(body({"tool_calls": [call("{bad", "Bash")]}, "tool_calls"))


def test_arguments_that_are_nearly_json_are_mended() -> None:
    reply = read_reply(body({"tool_calls": [call('{"x":1,}')]}, "tool_calls"))
    assert (ToolCall("a", "Read", Json(b'{"x":1}')),) == reply.blocks


def test_a_call_cut_off_by_the_output_limit_is_left_out() -> None:
    reply = read_reply(body({"content": "A", "tool_calls": [call('{"x')]}, "length"))
    assert ((Text("A"),), StopReason.MAX_TOKENS) == (reply.blocks, reply.reason)


def test_a_whole_reply_needs_no_reason_to_stop() -> None:
    assert StopReason.END_TURN is read_reply(body({"content": "A"}, None)).reason


def test_an_error_inside_a_200_is_raised() -> None:
    with pytest.raises(UpstreamLimitedError, match="slow down"):
        read_reply(b'{"error":{"code":429,"message":"slow down"}}')


@pytest.mark.parametrize("junk", [b"", b"<html>", b"[]", b'{"choices":[]}', b'{"id":"x"}'])
def test_junk_is_a_protocol_error(junk: bytes) -> None:
    with pytest.raises(UpstreamProtocolError):
        read_reply(junk)
