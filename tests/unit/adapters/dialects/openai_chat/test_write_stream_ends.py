"""The edges of a streamed reply: its exact frames, whose tokens it tells, and that nothing follows the end."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.adapters.dialects.openai_chat.write_stream import ChatStreamEncoder
from ccr.domain.conversation import Text, ToolCall
from ccr.domain.errors import UpstreamUnavailableError
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.reply import StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    MessageStop,
    StreamEvent,
    StreamFailed,
    TextDelta,
    ToolInputDelta,
    UsageUpdate,
)
from ccr.domain.usage import Usage
from tests.support.chat_calls import chunks

FACTS = RequestFacts(Operation.GENERATE, "openai_chat", "asked")
BEGIN = MessageStart("i", "m")
END = MessageStop(StopReason.END_TURN)
FAILED = StreamFailed(UpstreamUnavailableError("gone"))


def encoder(*, include_usage: bool = False) -> ChatStreamEncoder:
    client = OpenAIChatClient(new_id=lambda: "new", now=lambda: 5.0)
    return client.stream_encoder(FACTS, ChatEcho(include_usage=include_usage))


def usage_of(*events: StreamEvent) -> dict[str, Any]:
    usage: dict[str, Any] = chunks(encoder(include_usage=True).feed(events))[-1]["usage"]
    return usage


@pytest.mark.parametrize("include_usage, bodies", [(False, 4), (True, 5)])
def test_a_stream_is_frames_and_nothing_between_them(include_usage: bool, bodies: int) -> None:
    said: list[StreamEvent] = [
        BEGIN,
        BlockStart(0, Text("")),
        TextDelta("a"),
        TextDelta("b"),
        BlockStop(0),
        END,
    ]
    stream = encoder(include_usage=include_usage).feed(said)
    frames = b"".join(
        b"data: " + json.dumps(one, separators=(",", ":")).encode() + b"\n\n" for one in chunks(stream)
    )
    assert len(chunks(stream)) == bodies
    assert stream == frames + b"data: [DONE]\n\n"


def test_an_error_is_one_frame() -> None:
    stream = encoder().feed([FAILED])
    (error,) = chunks(stream)
    assert stream == b"data: " + json.dumps(error, separators=(",", ":")).encode() + b"\n\n"


@pytest.mark.parametrize("last", [END, FAILED])
def test_nothing_comes_after_the_end(last: StreamEvent) -> None:
    machine = encoder()
    assert machine.feed([BEGIN, last, TextDelta("late"), END]) == encoder().feed([BEGIN, last])
    assert machine.feed([TextDelta("late"), END, FAILED]) == machine.keep_alive() == b""


def test_usage_is_what_start_updates_and_stop_say_together() -> None:
    told = usage_of(
        MessageStart("i", "m", Usage(cache_read=10)),
        UsageUpdate(Usage(5, output=1)),
        UsageUpdate(Usage(output=2)),
        MessageStop(StopReason.END_TURN, usage=Usage(reasoning=1)),
    )
    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (15, 2, 17)
    assert told["prompt_tokens_details"]["cached_tokens"] == 10
    assert told["completion_tokens_details"]["reasoning_tokens"] == 1
    assert usage_of(BEGIN, MessageStop(StopReason.END_TURN, usage=Usage(3, output=4)))["total_tokens"] == 7


def test_usage_may_come_between_half_a_call_and_the_reason_for_it() -> None:
    half: list[StreamEvent] = [
        BlockStart(0, ToolCall("t", "Bash", "")),
        ToolInputDelta('{"a":'),
        BlockStop(0),
    ]
    cut = MessageStop(StopReason.MAX_TOKENS)
    told = chunks(encoder().feed([BEGIN, *half, UsageUpdate(Usage(5)), cut]))
    assert told[-1]["choices"][0]["finish_reason"] == "length"
