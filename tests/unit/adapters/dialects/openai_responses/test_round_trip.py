"""A client, the two ends of the dialect and a strict upstream, in a loop."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.adapters.dialects.openai_responses import ResponsesProvider
from ccr.adapters.wire.sse import SseFramer
from ccr.application.exchange.stamp import Stamp
from ccr.domain.conversation import Conversation, Effort, Image, Inline, Text, Thinking, ToolCall, ToolResult
from ccr.domain.conversation.homeward import homeward
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import Origin
from ccr.domain.stream import StreamEvent, fold, unfold
from tests.support.anthropic_calls import fixtures
from tests.support.fake_provider import RejectedError
from tests.support.fake_responses import FakeResponses
from tests.support.loopback import Recorded
from tests.support.responses import call, client, conversation, frames
from tests.support.scripts import Reply, calls, in_order
from tests.support.scripts import Text as Say
from tests.support.scripts import Thinking as Think
from tests.support.scripts import ToolCall as Use

THINKS = ModelProfile(
    reasoning=ReasoningStyle.EFFORT,
    efforts=(Effort.LOW, Effort.MEDIUM, Effort.HIGH, Effort.XHIGH),
    sampling_with_reasoning=False,
    documents=True,
)
TOOLS = [
    {"type": "function", "name": "Read", "parameters": {"type": "object"}, "strict": False},
    {"type": "custom", "name": "apply_patch"},
    {"type": "namespace", "name": "mcp__docs__", "tools": [{"type": "function", "name": "find"}]},
]
LOOP = calls(
    Think("first"),
    Say("Let me see."),
    Think("second"),
    Use("Read", {"a": 1}),
    Use("apply_patch", raw="*** Begin"),
    Use("mcp__docs__find", {}),
)


def checked(fake: FakeResponses, body: bytes) -> dict[str, Any]:
    payload: dict[str, Any] = msgspec.json.decode(body)
    fake.check(Recorded("POST", "/v1/responses", {}, body, 0.0, payload))
    return payload


def turned(fake: FakeResponses, asked: dict[str, Any], reply: Reply, *, stream: bool) -> list[dict[str, Any]]:
    """Send a request through both ends and return the output items that the client gets."""
    dialect, provider = client(), ResponsesProvider()
    parsed = dialect.read(call(msgspec.json.encode({**asked, "stream": stream})))
    meant = homeward(evolve(parsed.conversation(), model="gpt"), "openai_responses", "p")
    payload = checked(fake, provider.write_request(meant, THINKS, is_anthropic=False).payload.encode())
    if stream:
        decoder = provider.stream_decoder(SseFramer())
        events = [event for data in fake.events(reply, payload) for event in decoder.feed(data)]
    else:
        events = unfold(provider.read_reply(msgspec.json.encode(fake.whole(reply, payload))))
    stamped = list(Stamp(Origin("openai_responses", "p", "gpt")).feed(events))
    return answer(stamped, parsed.echo, parsed.facts, stream=stream)


def answer(events: list[StreamEvent], echo: object, facts: Any, *, stream: bool) -> list[dict[str, Any]]:
    dialect = client()
    if stream:
        response = frames(dialect.stream_encoder(facts, echo).feed(events))[-1]["response"]
    else:
        response = msgspec.json.decode(dialect.write_reply(fold(events), facts, echo))
    output: list[dict[str, Any]] = response["output"]
    return output


def outputs(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kinds = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
    return [
        {"type": kinds[item["type"]], "call_id": item["call_id"], "output": "ok"}
        for item in items
        if item["type"] in kinds
    ]


@pytest.mark.parametrize("stream", [True, False])
def test_two_rounds_of_tools_and_thinking(stream: bool) -> None:
    fake = FakeResponses(in_order(LOOP), key="")
    asked: dict[str, Any] = {
        "model": "m",
        "instructions": "be kind",
        "input": [{"role": "user", "content": "hi"}],
        "tools": TOOLS,
        "reasoning": {"effort": "high", "summary": "auto"},
        "include": ["reasoning.encrypted_content"],
        "store": False,
    }
    for _ in range(2):
        items = turned(fake, asked, LOOP, stream=stream)
        kinds = [item["type"] for item in items]
        assert kinds == [
            "reasoning",
            "message",
            "reasoning",
            "function_call",
            "custom_tool_call",
            "function_call",
        ]
        assert items[3]["arguments"] == '{"a":1}'
        assert items[4]["input"] == "*** Begin"
        assert (items[5]["namespace"], items[5]["name"]) == ("mcp__docs__", "find")
        asked["input"] += [*items, *outputs(items)]

    last = turned(fake, asked, Reply((Say("done"),)), stream=stream)
    assert last[0]["content"][0]["text"] == "done"
    assert len(fake.thoughts) == 4

    # What was thought is demanded: a client that loses it is refused.
    asked["input"] = [item for item in asked["input"] if item.get("type") != "reasoning"]
    with pytest.raises(RejectedError, match="required 'reasoning' item"):
        turned(fake, asked, LOOP, stream=stream)


def test_another_provider_is_not_shown_what_it_did_not_think() -> None:
    first, second = FakeResponses(in_order(LOOP), key=""), FakeResponses(in_order(LOOP), key="")
    asked: dict[str, Any] = {"model": "m", "input": [{"role": "user", "content": "hi"}], "tools": TOOLS}
    items = turned(first, asked, LOOP, stream=True)
    asked["input"] += [*items, *outputs(items)]

    meant = homeward(conversation(*asked["input"], tools=TOOLS), "openai_responses", "other")
    body = ResponsesProvider().write_request(meant, THINKS, is_anthropic=False).payload.encode()
    payload = checked(second, body)

    assert not any(item.get("type") == "reasoning" for item in payload["input"])


def again(given: Conversation) -> Conversation:
    """What a conversation means once it has been written and read."""
    body = ResponsesProvider().write_request(given, THINKS, is_anthropic=False).payload.encode()
    return client().read(call(body)).conversation()


def test_a_request_that_is_written_and_read_keeps_its_meaning() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    given = conversation(
        {"role": "user", "content": [{"type": "input_text", "text": "hi"}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gA==",
        },
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A"}]},
        {"type": "function_call", "call_id": "c", "name": "Read", "arguments": '{"a":"b"}'},
        {"type": "custom_tool_call", "call_id": "d", "name": "apply_patch", "input": "***"},
        {
            "type": "function_call_output",
            "call_id": "c",
            "output": [{"type": "input_image", "image_url": "data:image/png;base64,AAAA"}],
        },
        {"type": "custom_tool_call_output", "call_id": "d", "output": "ok"},
        {
            "role": "user",
            "content": [
                {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,BB"}
            ],
        },
        {"role": "developer", "content": "now"},
        model="m",
        instructions="be kind",
        tools=[
            {"type": "function", "name": "Read", "description": "d", "parameters": schema, "strict": False},
            {"type": "custom", "name": "apply_patch", "description": "p"},
            {"type": "web_search", "search_context_size": "low"},
        ],
        tool_choice={"type": "function", "name": "Read"},
        parallel_tool_calls=False,
        reasoning={"effort": "xhigh", "summary": "auto"},
        max_output_tokens=100,
        text={"format": {"type": "json_schema", "name": "n", "schema": schema, "strict": True}},
        prompt_cache_key="k",
        metadata={"a": "b"},
        safety_identifier="s",
        service_tier="flex",
        stream=True,
    )
    back = again(given)

    assert evolve(back, extra=()) == evolve(given, extra=())
    assert again(back) == back
    thinking, text, read, patch = back.turns[1].blocks
    assert isinstance(thinking, Thinking)
    assert thinking.seal is not None
    assert text == Text("A")
    assert isinstance(read, ToolCall)
    assert isinstance(patch, ToolCall)
    assert patch.input == "***"
    first = back.turns[2].blocks[0]
    assert isinstance(first, ToolResult)
    assert first.content == (Image(Inline("image/png", "AAAA")),)


@pytest.mark.parametrize("profile", [THINKS, evolve(THINKS, system_in_turns=False, images=False)])
def test_requests_of_the_real_claude_code_pass_the_strict_upstream(profile: ModelProfile) -> None:
    fake = FakeResponses(in_order(LOOP), key="", max_tokens=200_000)
    asked = 0
    for _, headers, body in fixtures():
        if "messages" not in body:
            continue
        given = AnthropicClient().read(call(msgspec.json.encode(body), headers)).conversation()
        meant = homeward(given, "openai_responses", "p")
        written = ResponsesProvider().write_request(meant, profile, is_anthropic=False).payload.encode()
        checked(fake, written)
        assert b"x-anthropic-billing-header" not in written
        assert b"DeferredToolPlaceholder" not in written
        asked += 1
    assert asked > 5


# ------------------------------------------------------------------------------------------- the meaning stays

_WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(str.strip)
_PARTS = st.sampled_from(
    [
        {"type": "input_image", "image_url": "data:image/png;base64,AAAA"},
        {"type": "input_image", "image_url": "https://x.test/a.png"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="},
    ]
)
FULL = ModelProfile(
    reasoning=ReasoningStyle.EFFORT, efforts=tuple(Effort), documents=True, image_results=True
)


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """What the user says, what is answered, and the calls with their results."""
    asked = [{"type": "input_text", "text": draw(_WORDS)}, *draw(st.lists(_PARTS, max_size=2))]
    items: list[dict[str, Any]] = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": [{"type": "output_text", "text": draw(_WORDS)}]},
    ]
    for at in range(draw(st.integers(0, 2))):
        identity = f"call_{number}_{at}"
        if draw(st.booleans()):
            items.append(
                {"type": "function_call", "call_id": identity, "name": "Read", "arguments": '{"a":1}'}
            )
            items.append({"type": "function_call_output", "call_id": identity, "output": draw(_WORDS)})
        else:
            items.append(
                {
                    "type": "custom_tool_call",
                    "call_id": identity,
                    "name": "apply_patch",
                    "input": draw(_WORDS),
                }
            )
            items.append({"type": "custom_tool_call_output", "call_id": identity, "output": draw(_WORDS)})
    return items


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Requests of which everything has a place at a provider that knows everything."""
    items = [item for number in range(draw(st.integers(0, 3))) for item in draw(exchanges(number))]
    fields: dict[str, Any] = {
        "input": [*items, {"role": "user", "content": [{"type": "input_text", "text": "go"}]}],
        "tools": TOOLS[:2],
        "tool_choice": draw(st.sampled_from(["auto", "required", "none", {"type": "function", "name": "Read"}])),
    }  # fmt: skip
    optional: dict[str, st.SearchStrategy[Any]] = {
        "instructions": _WORDS,
        "parallel_tool_calls": st.booleans(),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "max_output_tokens": st.integers(16, 99),
        "reasoning": st.sampled_from([{"effort": effort.value} for effort in Effort]),
        "text": st.sampled_from(
            [
                {"format": {"type": "json_object"}},
                {
                    "format": {
                        "type": "json_schema",
                        "name": "n",
                        "schema": {"type": "object"},
                        "strict": True,
                    }
                },
            ]
        ),
        "service_tier": st.just("flex"),
        "metadata": st.just({"a": "b"}),
        "prompt_cache_key": st.just("k"),
        "stream": st.booleans(),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            fields[name] = draw(values)
    return fields


def meaning(asked: Conversation) -> tuple[Conversation, object]:
    """JSON is compared as values; what this dialect alone says of the request is left alone."""
    metadata = msgspec.json.decode(asked.metadata.data) if asked.metadata else None
    return evolve(asked, extra=(), metadata=None), metadata


@given(bodies())
def test_a_request_keeps_its_meaning(body: dict[str, Any]) -> None:
    asked = client().read(call(msgspec.json.encode({"model": "m", **body}))).conversation()
    encoded = ResponsesProvider().write_request(asked, FULL, is_anthropic=False)
    again = client().read(call(encoded.payload.encode())).conversation()

    assert meaning(again) == meaning(asked)
    assert encoded.losses == ()
