"""The strict upstreams refuse what real ones refuse, and say the same reply in both ways."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from tests.support.fake_anthropic import FakeAnthropic
from tests.support.fake_openai import FakeOpenAI
from tests.support.fake_provider import FakeProvider, RejectedError
from tests.support.loopback import Recorded
from tests.support.scripts import Reply, Text, Thinking, ToolCall, by_turn, text

USER = {"role": "user", "content": "hello"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}
REPLY = Reply((Thinking("hmm, so"), Text("some words here"), ToolCall("f", {"city": "Zürich"})))


def refusal(fake: FakeProvider, **body: Any) -> str:
    whole = {"model": "m", "max_tokens": 100, "messages": [USER], **body}
    recorded = Recorded("POST", fake.model_path, {"anthropic-version": "2023-06-01"}, b"", 0.0, json=whole)
    try:
        fake.check(recorded)
    except RejectedError as error:
        return error.message
    return ""


@pytest.mark.parametrize(
    "body, words",
    [
        ({}, ""),
        ({"thinking": {"type": "adaptive"}}, "thinking"),
        ({"system": "x"}, "system"),
        ({"context_management": {}}, "context_management"),
        ({"output_config": {}}, "output_config"),
        ({"metadata": {"user_id": {"a": 1}}}, "metadata"),
        ({"max_tokens": 128000}, "max_tokens is too large"),
        ({"tools": []}, "too short"),
        ({"tools": [TOOL]}, ""),
        ({"tools": [TOOL], "tool_choice": "auto"}, ""),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tools": [{**TOOL, "function": {"name": "f" * 65, "parameters": {"type": "object"}}}]}, "name"),
        ({"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}, "cache_control"),
        ({"stream_options": {"include_usage": True}}, "stream_options"),
        ({"stream": True, "stream_options": {"include_usage": True}}, ""),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "x", "cache_control": {}}]}]},
            "cache",
        ),
        ({"messages": [USER, {"role": "tool", "tool_call_id": "call_1", "content": "x"}]}, "preceding"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}]}, "did not have response"),
        ({"messages": [USER, {"role": "assistant", "tool_calls": [CALL]}, USER]}, "did not have response"),
        (
            {
                "messages": [
                    USER,
                    {"role": "assistant", "content": None, "tool_calls": [CALL]},
                    {"role": "tool", "tool_call_id": "call_1", "content": "x"},
                ]
            },
            "",
        ),
        ({"messages": [USER, {"role": "assistant", "content": None}]}, "content"),
        ({"messages": [USER, {"role": "assistant", "content": "x", "reasoning_content": "y"}]}, "reasoning"),
    ],
)
def test_the_openai_upstream_refuses_what_real_ones_refuse(body: dict[str, Any], words: str) -> None:
    message = refusal(FakeOpenAI(by_turn(text("x"))), **body)

    assert bool(words) == bool(message)
    assert words in message


@pytest.mark.parametrize(
    "body, words",
    [
        ({}, ""),
        ({"stream_options": {}}, "stream_options"),
        ({"context_management": {"edits": []}}, "context_management"),
        ({"max_tokens": 500000}, "max_tokens"),
        (
            {
                "messages": [
                    USER,
                    {"role": "assistant", "content": [USE]},
                    {"role": "user", "content": [RESULT]},
                ]
            },
            "",
        ),
        ({"messages": [USER, {"role": "assistant", "content": [USE]}, USER]}, "without `tool_result`"),
        ({"messages": [USER, {"role": "assistant", "content": [USE]}]}, "without `tool_result`"),
        ({"messages": [{"role": "user", "content": [RESULT]}]}, "unexpected `tool_use_id`"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "first message"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": ""}]}]}, "non-empty"),
        (
            {
                "messages": [
                    USER,
                    {"role": "assistant", "content": [{"type": "thinking", "signature": "forged"}]},
                ]
            },
            "signature",
        ),
    ],
)
def test_the_anthropic_upstream_refuses_what_the_real_one_refuses(body: dict[str, Any], words: str) -> None:
    message = refusal(FakeAnthropic(by_turn(text("x"))), **body)

    assert bool(words) == bool(message)
    assert words in message


def test_the_openai_upstream_streams_what_it_says_whole() -> None:
    fake = FakeOpenAI(by_turn(REPLY))
    request = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}

    whole = fake.whole(REPLY, request)["choices"][0]["message"]
    *chunks, done = [event.removeprefix(b"data: ") for event in fake.events(REPLY, request)]

    parsed = [msgspec.json.decode(chunk) for chunk in chunks]
    deltas = [chunk["choices"][0]["delta"] for chunk in parsed if chunk["choices"]]
    assert "".join(delta.get("content") or "" for delta in deltas) == whole["content"] == "some words here"
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "hmm, so"
    arguments = [call["function"]["arguments"] for delta in deltas for call in delta.get("tool_calls", [])]
    assert "".join(arguments) == whole["tool_calls"][0]["function"]["arguments"] == '{"city":"Zürich"}'
    assert parsed[-1]["choices"] == []
    assert parsed[-1]["usage"]["prompt_tokens"] == 100
    assert done.strip() == b"[DONE]"


def test_the_anthropic_upstream_streams_what_it_says_whole() -> None:
    fake = FakeAnthropic(by_turn(REPLY))

    whole = fake.whole(REPLY, {"model": "m"})["content"]
    events = [msgspec.json.decode(e.partition(b"\ndata: ")[2]) for e in fake.events(REPLY, {"model": "m"})]

    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert "".join(delta.get("text", "") for delta in deltas) == whole[1]["text"]
    assert msgspec.json.decode("".join(d.get("partial_json", "") for d in deltas)) == whole[2]["input"]
    assert events[-1]["type"] == "message_stop"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"
