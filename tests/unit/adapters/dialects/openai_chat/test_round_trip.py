"""From a chat client to a chat provider on the translate path: the meaning stays, and the strictest take it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.openai_chat import OpenAIChatClient, OpenAIChatProvider
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.adapters.providers.loader import PackagedProviders
from ccr.domain.conversation import ContentBlock, Conversation, Effort, Thinking
from ccr.domain.conversation.homeward import homeward
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import stamped
from ccr.domain.reply import Reply
from tests.support.chat_calls import call, conversation
from tests.support.fake_chats import FakeDeepSeek, FakeMistral, FakeMoonshot, FakeOpenRouter, FakeZhipu
from tests.support.fake_openai import FakeOpenAI
from tests.support.loopback import Recorded
from tests.support.scripts import by_turn
from tests.support.scripts import text as words

FACTS = RequestFacts(Operation.GENERATE, "openai_chat", "m")
FULL = ModelProfile(
    reasoning=ReasoningStyle.EFFORT,
    efforts=tuple(Effort),
    documents=True,
    cache_marks=True,
    reasoning_field="reasoning_content",
)


# ------------------------------------------------------------------------------------------- the meaning stays

_TEXT = st.text(st.characters(codec="utf-8"), min_size=1, max_size=9).filter(str.strip)
_PICTURE = st.just({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}})
_FILE = st.just(
    {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QQ=="}}
)
_TOOL = {"type": "function", "function": {"name": "f", "description": "d", "parameters": {"type": "object"}}}


@st.composite
def exchanges(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """What the user says, what is answered, and the results of the calls."""
    said = draw(_TEXT | st.lists(_PICTURE | _FILE, min_size=1, max_size=2))
    calls = [
        {"id": f"call_{number}_{at}", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
        for at in range(draw(st.integers(0, 2)))
    ]
    answer: dict[str, Any] = {"role": "assistant", "content": draw(_TEXT)}
    if calls:
        answer["tool_calls"] = calls
    if draw(st.booleans()):
        answer["reasoning_content"] = draw(_TEXT)
    results = [{"role": "tool", "tool_call_id": one["id"], "content": draw(_TEXT)} for one in calls]
    return [{"role": "user", "content": said}, answer, *results]


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Requests of which everything has a place at a provider that knows everything."""
    messages = [message for number in range(draw(st.integers(0, 3))) for message in draw(exchanges(number))]
    fields: dict[str, Any] = {
        "messages": [
            {"role": "system", "content": draw(_TEXT)},
            *messages,
            {"role": "user", "content": "go"},
        ],
        "tools": [_TOOL],
        "tool_choice": draw(
            st.sampled_from(["auto", "required", {"type": "function", "function": {"name": "f"}}])
        ),
    }
    optional: dict[str, st.SearchStrategy[Any]] = {
        "parallel_tool_calls": st.just(False),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "top_k": st.integers(1, 9),
        "seed": st.integers(0, 9),
        "presence_penalty": st.floats(-2, 2),
        "frequency_penalty": st.floats(-2, 2),
        "stop": st.lists(_TEXT, min_size=1, max_size=4),
        "max_tokens": st.integers(1, 9),
        "reasoning_effort": st.sampled_from(["none", *(effort.value for effort in Effort)]),
        "response_format": st.sampled_from(
            [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}}]
        ),
        "service_tier": st.just("flex"),
        "user": st.just("u"),
        "metadata": st.just({"a": "b"}),
        "prompt_cache_key": st.just("k"),
        "stream": st.booleans(),
        "logit_bias": st.just({"1": 2}),
        "provider": st.just({"order": ["x"]}),
    }
    for name, values in optional.items():
        if draw(st.booleans()):
            fields[name] = draw(values)
    return fields


def meaning(asked: Conversation) -> tuple[Conversation, dict[str, Any], Any]:
    """JSON is compared as values: the spaces in it are nobody's."""
    extra = {name: json.loads(data.data) for name, data in asked.extra}
    metadata = json.loads(asked.metadata.data) if asked.metadata else None
    return evolve(asked, extra=(), metadata=None), extra, metadata


@given(bodies())
def test_a_request_keeps_its_meaning(body: dict[str, Any]) -> None:
    asked = conversation(**body)
    encoded = OpenAIChatProvider().write_request(asked, FULL, is_anthropic=False)
    again = OpenAIChatClient().read(call(encoded.payload.encode())).conversation()

    assert meaning(again) == meaning(asked)
    assert encoded.losses == ()


# ------------------------------------------------------------------------------------------- the strict take it

STRICT: dict[str, tuple[str, type[FakeOpenAI]]] = {
    "openai": ("gpt-4.1", FakeOpenAI),
    "mistral": ("mistral-large-latest", FakeMistral),
    "deepseek": ("deepseek-v4-pro", FakeDeepSeek),
    "openrouter": ("anthropic/claude-sonnet-5", FakeOpenRouter),
    "moonshot": ("kimi-k2.5", FakeMoonshot),
    "zhipu": ("glm-5.2", FakeZhipu),
}
AGENT: dict[str, Any] = {
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "parameters": {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
                "strict": False,
            },
        },
        {"type": "custom", "custom": {"name": "patch"}},
    ],
    "tool_choice": "required",
    "reasoning_effort": "high",
    "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}},
}
DETAILS = [{"type": "reasoning.text", "text": "hm", "signature": "s"}]
REPLY: dict[str, Any] = {
    "choices": [
        {
            "message": {
                "content": "A",
                "reasoning": "hm",
                "tool_calls": [
                    {"id": f"call_{at}", "function": {"name": "f", "arguments": '{"a":1}'}} for at in (1, 2)
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]
}


def replied(provider: str) -> Reply:
    """A reply of a provider, with seals that say whose they are."""
    said: dict[str, Any] = json.loads(json.dumps(REPLY))
    if provider == "openrouter":
        said["choices"][0]["message"]["reasoning_details"] = DETAILS
    reply = OpenAIChatProvider().read_reply(json.dumps(said).encode())
    blocks: list[ContentBlock] = []
    for block in reply.blocks:
        if isinstance(block, Thinking) and block.seal:
            origin = evolve(block.seal.origin, provider=provider, model="m")
            blocks.append(evolve(block, seal=stamped(block.seal, origin)))
        else:
            blocks.append(block)
    return evolve(reply, blocks=tuple(blocks))


@pytest.mark.parametrize("second", STRICT)
@pytest.mark.parametrize("first", STRICT)
def test_a_conversation_that_changes_the_provider_in_the_middle(first: str, second: str) -> None:
    client = OpenAIChatClient()
    answer = json.loads(client.write_reply(replied(first), FACTS, ChatEcho()))["choices"][0]["message"]
    messages = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": "go"},
        {name: value for name, value in answer.items() if value is not None},
        *(
            {"role": "tool", "tool_call_id": one["id"], "content": [{"type": "text", "text": "R"}]}
            for one in answer["tool_calls"]
        ),
        {"role": "user", "content": [{"type": "text", "text": "and?"}]},
    ]
    model, fake = STRICT[second]
    spec = PackagedProviders().by_name(second)
    assert spec is not None
    asked = homeward(conversation(model=model, messages=messages, **AGENT), "openai_chat", second)
    sent = OpenAIChatProvider().write_request(asked, spec.profile(model), is_anthropic=False).payload.encode()
    body = json.loads(sent)
    fake(by_turn(words("x")), key="").check(Recorded("POST", "/v1/chat/completions", {}, sent, 0.0, body))

    assert b"ccr1." not in sent
    kept = [details for message in body["messages"] if (details := message.get("reasoning_details"))]
    assert kept == ([DETAILS] if first == second == "openrouter" else [])
