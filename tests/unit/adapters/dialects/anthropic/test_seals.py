from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.dialects.anthropic.read_request import read_turn
from ccr.adapters.dialects.anthropic.seals import carrier, is_home, read_seal, write_seal
from ccr.domain.conversation import ContentBlock, Conversation, Text, Thinking, ToolCall, Turn
from ccr.domain.conversation.homeward import homeward
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.models import ModelProfile
from ccr.domain.provenance import Origin, Seal
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import (
    BlockStart,
    BlockStop,
    MessageStart,
    SealDelta,
    StreamEvent,
    ToolInputDelta,
)
from ccr.domain.verbatim import Json

_TEXT = st.text(max_size=5)


@given(
    st.builds(
        Seal, st.builds(Origin, st.sampled_from(["gemini", "x"]), _TEXT, _TEXT, _TEXT), _TEXT, st.text()
    )
)
def test_a_foreign_seal_comes_back_as_it_was(seal: Seal) -> None:
    assert read_seal("signature", write_seal(seal)) == seal
    assert not is_home(seal)


@pytest.mark.parametrize("data", ["EqQB", "", "ccr1.", "ccr1.x.y", "ccr1.WzFd.y", "ccr1.e30=.y"])
def test_anything_else_is_anthropics_byte_for_byte(data: str) -> None:
    seal = read_seal("signature", data)

    assert seal == Seal(Origin("anthropic"), "signature", data)
    assert write_seal(seal) == data
    assert is_home(seal)


# ------------------------------------------------------------------------------------- seals of tool calls

THOUGHT = Seal(Origin("gemini", "google", "g3"), "thought", "s1gn")
SEALED = ToolCall("call:1", "Read", Json(b'{"a":1}'), seal=THOUGHT)
OTHER = ToolCall("call_2", "Read")
FACTS = RequestFacts(Operation.GENERATE, "anthropic", "m")


def whole(*blocks: ContentBlock) -> list[dict[str, object]]:
    reply = Reply("r", "m", blocks, StopReason.TOOL_USE)
    content: list[dict[str, object]] = json.loads(AnthropicClient().write_reply(reply, FACTS, None))[
        "content"
    ]
    return content


def streamed(*events: StreamEvent) -> list[dict[str, object]]:
    """Return the content that a client puts together of a stream."""
    written = AnthropicClient().stream_encoder(FACTS, None).feed([MessageStart("r", "m"), *events])
    content: list[dict[str, object]] = []
    for line in written.split(b"\n"):
        event: dict[str, Any] = json.loads(line[6:]) if line.startswith(b"data: ") else {"type": ""}
        if event["type"] == "content_block_start":
            assert event["index"] == len(content)
            content.append(event["content_block"])
        elif event["type"] == "content_block_delta":
            assert event["index"] == len(content) - 1
            delta = event["delta"]
            if delta["type"] == "input_json_delta":
                content[-1]["input"] = json.loads(delta["partial_json"])
            else:
                content[-1]["signature"] = delta["signature"]
        elif event["type"] == "content_block_stop":
            assert event["index"] == len(content) - 1
    return content


def turn_of(content: list[dict[str, object]]) -> Turn:
    raw = json.dumps({"role": "assistant", "content": content}, separators=(",", ":"))
    return read_turn(raw.encode())


def test_the_seal_of_a_call_goes_before_it_and_comes_back_to_it() -> None:
    content = whole(Text("x"), OTHER, SEALED)

    assert [block["type"] for block in content] == ["text", "tool_use", "thinking", "tool_use"]
    assert (content[2]["thinking"], str(content[2]["signature"])[:5]) == ("", "ccr1.")
    turn = turn_of(content)
    assert turn.blocks == (Text("x"), OTHER, SEALED)
    assert turn.source is None


def test_the_same_in_a_stream() -> None:
    begun = ToolCall("call:1", "Read", "", seal=THOUGHT)
    content = streamed(
        BlockStart(0, OTHER), BlockStop(0), BlockStart(1, begun), ToolInputDelta('{"a":1}'), BlockStop(1)
    )

    assert content == whole(OTHER, SEALED)
    assert turn_of(content).blocks == (OTHER, SEALED)


def test_a_seal_that_comes_too_late_for_its_block_is_left_out() -> None:
    content = streamed(BlockStart(0, OTHER), SealDelta(THOUGHT), BlockStop(0))

    assert [block["type"] for block in content] == ["tool_use"]


@pytest.mark.parametrize("seal", [None, Seal(Origin("anthropic"), "signature", "s")])
def test_a_call_whose_seal_needs_no_carrying_has_no_carrier(seal: Seal | None) -> None:
    call = evolve(OTHER, seal=seal)

    assert carrier(call) is None
    assert len(whole(call)) == len(streamed(BlockStart(0, call), BlockStop(0))) == 1


def test_the_carrier_of_a_call_that_is_not_there_goes() -> None:
    carrying, _ = whole(SEALED)

    assert turn_of([carrying, {"type": "text", "text": "x"}]).blocks == (Text("x"),)


def test_a_turn_of_foreign_thinking_without_carriers_keeps_its_bytes() -> None:
    content = whole(Thinking("hm", THOUGHT), OTHER)
    turn = turn_of(content)

    assert turn.blocks == (Thinking("hm", THOUGHT), OTHER)
    assert turn.source is not None


def test_anthropic_gets_neither_the_seal_nor_its_carrier() -> None:
    turn = turn_of(whole(Text("x"), SEALED))
    said = homeward(Conversation("m", (turn,)), "anthropic", "")
    body = AnthropicProvider().write_request(said, ModelProfile(), is_anthropic=True).payload.encode()

    assert b"ccr1." not in body
    assert b"s1gn" not in body
    assert b"thinking" not in body
