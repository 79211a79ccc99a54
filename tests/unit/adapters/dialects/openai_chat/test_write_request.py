from __future__ import annotations

from typing import Any

import msgspec
import pytest
from attrs import evolve

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.domain.conversation import (
    CacheMark,
    Conversation,
    Effort,
    FunctionTool,
    HostedTool,
    Image,
    Inline,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Turn,
)
from ccr.domain.fidelity import Loss
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import Origin, Seal
from ccr.domain.verbatim import Json

PROVIDER = OpenAIChatProvider()
PLAIN = ModelProfile()
READ_SCHEMA = b'{"type":"object","properties":{"p":{"type":"string"}},"required":["p"]}'
READ = FunctionTool("Read", "read a file", Json(READ_SCHEMA))
SEARCH = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"))

A1 = Conversation(
    model="tools",
    dialect="anthropic",
    system=(Text("You are S1", CacheMark()), Text("S2")),
    turns=(
        Turn(Role.USER, (Text("look"), Image(Inline("image/png", "AAAA")))),
        Turn(
            Role.ASSISTANT,
            (
                Thinking("hmm", Seal(Origin("anthropic"), "signature", "sig1")),
                Text("ok"),
                Text("go"),
                ToolCall("t1", "Read", Json(b'{"p":"a"}')),
                ToolCall("t2", "Read", Json(b'{"p":"b"}')),
            ),
        ),
        Turn(
            Role.USER,
            (
                Text("before"),
                ToolResult("t1", (Text("AAA"),), plain=True),
                ToolResult("t2", (Text("BBB"),), is_error=True, cache=CacheMark()),
                Text("after"),
            ),
        ),
    ),
    tools=(READ, SEARCH),
    tool_choice=ToolChoice(ToolMode.REQUIRED),
    sampling=Sampling(temperature=0.5, top_p=0.9),
    reasoning=Reasoning(ReasoningMode.ON, budget=4000),
    max_tokens=2000,
    stop=("X",),
    user="user_a_account_b_session_c",
    metadata=Json(b'{"user_id":"user_a_account_b_session_c"}'),
    service_tier="auto",
    extra=(("container", Json(b"{}")),),
)


def written(conversation: Conversation, profile: ModelProfile = PLAIN) -> dict[str, Any]:
    encoded = PROVIDER.write_request(conversation, profile, is_anthropic=False)
    body: dict[str, Any] = msgspec.json.decode(encoded.payload.encode())
    return body


def losses(conversation: Conversation, profile: ModelProfile = PLAIN) -> set[str]:
    return set(map(str, PROVIDER.write_request(conversation, profile, is_anthropic=False).losses))


def said(**changes: Any) -> Conversation:
    return Conversation(model="m", turns=(Turn(Role.USER, (Text("hi"),)),), **changes)


def test_appendix_a1_as_it_should_be() -> None:
    expected = {
        "model": "tools",
        "messages": [
            {"role": "system", "content": "You are S1\n\nS2"},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
                ],
            },
            {
                "role": "assistant",
                "content": "ok\ngo",
                "tool_calls": [
                    {"id": "t1", "type": "function", "function": {"name": "Read", "arguments": '{"p":"a"}'}},
                    {"id": "t2", "type": "function", "function": {"name": "Read", "arguments": '{"p":"b"}'}},
                ],
            },
            {"role": "tool", "tool_call_id": "t1", "content": "AAA"},
            {"role": "tool", "tool_call_id": "t2", "content": "[tool error] BBB"},
            {"role": "user", "content": "before\n\nafter"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "Read",
                    "description": "read a file",
                    "parameters": msgspec.json.decode(READ_SCHEMA),
                },
            }
        ],
        "tool_choice": "required",
        "max_tokens": 2000,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["X"],
    }
    assert expected == written(A1)
    assert {"thinking=dropped", "hosted_tool=dropped"} == losses(A1)


def test_streams_ask_for_usage_where_it_is_understood() -> None:
    body = written(said(stream=True))
    assert (body["stream"], body["stream_options"]) == (True, {"include_usage": True})
    assert "stream_options" not in written(said(stream=True), ModelProfile(stream_usage=False))


def test_system_between_turns_is_folded_where_it_must() -> None:
    turns = (Turn(Role.USER, (Text("hi"),)), Turn(Role.SYSTEM, (Text("s"),)))
    body = written(Conversation(model="m", turns=turns), ModelProfile(system_in_turns=False))
    content = "hi\n\n<system-reminder>\ns\n</system-reminder>"
    assert [{"role": "user", "content": content}] == body["messages"]


def test_the_billing_line_goes_to_nobody_else() -> None:
    system = (Text("x-anthropic-billing-header: cc_version=2"), Text("You are"))
    assert written(said(system=system))["messages"][0] == {"role": "system", "content": "You are"}
    assert len(written(said(system=system[:1]))["messages"]) == 1


@pytest.mark.parametrize(
    "asked, limit, sent", [(128000, 8192, 8192), (100, 8192, 100), (128000, None, 128000)]
)
def test_the_output_limit_is_clamped(asked: int, limit: int | None, sent: int) -> None:
    profile = ModelProfile(max_output=limit, max_tokens_field="max_completion_tokens")
    body = written(said(max_tokens=asked), profile)
    assert (sent, None) == (body["max_completion_tokens"], body.get("max_tokens"))


def test_no_output_limit_is_none() -> None:
    assert "max_tokens" not in written(said(), ModelProfile(max_output=5))


def test_sampling() -> None:
    sampling = Sampling(0.1, 0.2, 3, 4, 0.5, 0.6)
    body = written(said(sampling=sampling))
    del body["model"], body["messages"]
    expected = {
        "temperature": 0.1,
        "top_p": 0.2,
        "seed": 4,
        "presence_penalty": 0.5,
        "frequency_penalty": 0.6,
    }
    assert expected == body
    assert {"top_k=dropped"} == losses(said(sampling=sampling))


def test_sampling_is_left_out_while_thinking_where_it_must() -> None:
    profile = ModelProfile(sampling_with_reasoning=False)
    thinking = said(sampling=Sampling(temperature=1.0), reasoning=Reasoning(ReasoningMode.ON))
    assert "temperature" not in written(thinking, profile)
    assert {"sampling=dropped"} == losses(thinking, profile)
    assert set() == losses(said(reasoning=Reasoning(ReasoningMode.ON)), profile)
    assert written(said(sampling=Sampling(temperature=1.0)), profile)["temperature"] == 1.0


def test_four_stop_sequences_at_most() -> None:
    many = said(stop=("1", "2", "3", "4", "5"))
    assert written(many)["stop"] == ["1", "2", "3", "4"]
    assert {"stop=first four"} == losses(many)


@pytest.mark.parametrize(
    "output, expected",
    [
        (OutputFormat(), {"type": "json_object"}),
        (
            OutputFormat(Json(b'{"type":"object"}'), "title"),
            {"type": "json_schema", "json_schema": {"name": "title", "schema": {"type": "object"}}},
        ),
        (
            OutputFormat(Json(b"{}"), strict=True),
            {"type": "json_schema", "json_schema": {"name": "output", "schema": {}, "strict": True}},
        ),
    ],
)
def test_structured_output(output: OutputFormat, expected: dict[str, Any]) -> None:
    assert expected == written(said(output_format=output))["response_format"]


SHAPE = OutputFormat(Json(b'{"type":"object"}'), "n")
LINE = 'Answer with a JSON object that fits this schema, and nothing else: {"type":"object"}'


@pytest.mark.parametrize(
    "mode, output, field, line, lost",
    [
        ("json_object", SHAPE, {"type": "json_object"}, LINE, {"output_format=as text"}),
        ("json_object", OutputFormat(), {"type": "json_object"}, "Answer with a JSON object.", set()),
        ("", SHAPE, None, LINE, {"output_format=as text"}),
        (
            "",
            OutputFormat(),
            None,
            "Answer with a JSON object and nothing else.",
            {"output_format=as text"},
        ),
    ],
)
def test_structured_output_in_words(
    mode: str, output: OutputFormat, field: Any, line: str, lost: set[str]
) -> None:
    profile = ModelProfile(output_format=mode)
    body = written(said(output_format=output, system=(Text("S"),)), profile)
    assert body.get("response_format") == field
    assert body["messages"][0]["content"] == f"S\n\n{line}"
    assert losses(said(output_format=output), profile) == lost


def test_callers_of_its_own_dialect_know_the_rules_of_json_mode() -> None:
    body = written(said(output_format=OutputFormat(), dialect="openai_chat"))
    assert len(body["messages"]) == 1


@pytest.mark.parametrize("most, kept, lost", [(2, ["1", "2"], {"stop=first 2"}), (0, None, {"stop=first 0"})])
def test_stop_sequences_of_a_profile(most: int, kept: list[str] | None, lost: set[str]) -> None:
    many = said(stop=("1", "2", "3"))
    profile = ModelProfile(max_stop=most)
    assert written(many, profile).get("stop") == kept
    assert losses(many, profile) == lost


def test_top_k_of_its_own_dialect_is_given_back() -> None:
    own = said(dialect="openai_chat", sampling=Sampling(top_k=3))
    assert (written(own)["top_k"], losses(own)) == (3, set())


def test_there_are_never_tools_that_are_none() -> None:
    body = written(said(tools=(SEARCH,), tool_choice=ToolChoice(ToolMode.REQUIRED)))
    assert {"tools", "tool_choice"}.isdisjoint(body)


def test_the_cache_key_is_carried() -> None:
    assert written(said(cache_key="s1"))["prompt_cache_key"] == "s1"


def test_its_own_dialects_fields_are_given_back() -> None:
    own = said(
        dialect="openai_chat",
        user="u",
        service_tier="flex",
        metadata=Json(b'{"a":"b"}'),
        extra=(("verbosity", Json(b'"low"')),),
    )
    body = written(own)
    assert (
        body["user"],
        body["service_tier"],
        body["metadata"],
        body["verbosity"],
    ) == ("u", "flex", {"a": "b"}, "low")
    bare = written(evolve(own, user=None, service_tier=None, metadata=None))
    assert {"model", "messages", "verbosity"} == set(bare)


# ------------------------------------------------------------------------------------------------- reasoning

XHIGH = (Effort.LOW, Effort.MEDIUM, Effort.HIGH, Effort.XHIGH)
ON, OFF, ADAPTIVE, UNSET = ReasoningMode.ON, ReasoningMode.OFF, ReasoningMode.ADAPTIVE, ReasoningMode.UNSET


@pytest.mark.parametrize(
    "style, reasoning, expected",
    [
        (ReasoningStyle.NONE, Reasoning(ON, Effort.HIGH), {}),
        (ReasoningStyle.EFFORT, Reasoning(), {}),
        (ReasoningStyle.EFFORT, Reasoning(ADAPTIVE), {}),
        (ReasoningStyle.EFFORT, Reasoning(ADAPTIVE, Effort.MAX), {"reasoning_effort": "xhigh"}),
        (ReasoningStyle.EFFORT, Reasoning(UNSET, Effort.MINIMAL), {"reasoning_effort": "low"}),
        (ReasoningStyle.EFFORT, Reasoning(ON, budget=4000), {"reasoning_effort": "medium"}),
        (ReasoningStyle.EFFORT, Reasoning(OFF, Effort.HIGH), {"reasoning_effort": "none"}),
        (ReasoningStyle.OPENROUTER, Reasoning(OFF), {"reasoning": {"effort": "none"}}),
        (ReasoningStyle.OPENROUTER, Reasoning(ON, budget=4000), {"reasoning": {"max_tokens": 4000}}),
        (ReasoningStyle.OPENROUTER, Reasoning(ON, Effort.LOW), {"reasoning": {"effort": "low"}}),
        (ReasoningStyle.OPENROUTER, Reasoning(ADAPTIVE), {"reasoning": {"enabled": True}}),
        (ReasoningStyle.THINKING_TYPE, Reasoning(OFF, Effort.HIGH), {"thinking": {"type": "disabled"}}),
        (ReasoningStyle.THINKING_TYPE, Reasoning(ADAPTIVE), {"thinking": {"type": "enabled"}}),
        (
            ReasoningStyle.THINKING_TYPE,
            Reasoning(ON, Effort.HIGH),
            {"thinking": {"type": "enabled"}, "reasoning_effort": "high"},
        ),
        (ReasoningStyle.ENABLE_THINKING, Reasoning(OFF), {"enable_thinking": False}),
        (ReasoningStyle.ENABLE_THINKING, Reasoning(ADAPTIVE), {"enable_thinking": True}),
        (
            ReasoningStyle.ENABLE_THINKING,
            Reasoning(ON, budget=4000),
            {"enable_thinking": True, "thinking_budget": 4000},
        ),
        (
            ReasoningStyle.ENABLE_THINKING,
            Reasoning(ON, Effort.MEDIUM),
            {"enable_thinking": True, "thinking_budget": 2048},
        ),
        (
            ReasoningStyle.ENABLE_THINKING,
            Reasoning(ON, budget=9000),
            {"enable_thinking": True, "thinking_budget": 4000},
        ),
    ],
)
def test_how_models_are_told_to_think(
    style: ReasoningStyle, reasoning: Reasoning, expected: dict[str, Any]
) -> None:
    body = written(said(reasoning=reasoning, max_tokens=8000), ModelProfile(reasoning=style, efforts=XHIGH))
    del body["model"], body["messages"], body["max_tokens"]
    assert expected == body


def test_a_budget_too_small_to_be_one_is_left_out() -> None:
    profile = ModelProfile(reasoning=ReasoningStyle.ENABLE_THINKING)
    body = written(said(reasoning=Reasoning(ON, budget=4000), max_tokens=1500), profile)
    assert (body["enable_thinking"], body.get("thinking_budget")) == (True, None)


def test_without_levels_there_is_no_effort() -> None:
    profile = ModelProfile(reasoning=ReasoningStyle.EFFORT, efforts=())
    assert "reasoning_effort" not in written(said(reasoning=Reasoning(ON, Effort.HIGH)), profile)
    profile = evolve(profile, reasoning_off=False)
    assert "reasoning_effort" not in written(said(reasoning=Reasoning(OFF)), profile)


def test_a_turn_alone_is_written_as_in_the_request() -> None:
    alone = [PROVIDER.write_turn(turn, PLAIN) for turn in A1.turns]
    whole = b"[" + b",".join(alone) + b"]"
    assert written(A1)["messages"][1:] == msgspec.json.decode(whole)


def test_a_turn_of_which_nothing_can_be_said_is_left_out() -> None:
    mute = Turn(Role.ASSISTANT, (Thinking("hm"),))
    turns = (Turn(Role.USER, (Text("a"),)), mute, Turn(Role.USER, (Text("b"),)))

    encoded = PROVIDER.write_request(evolve(A1, system=(), turns=turns), PLAIN, is_anthropic=False)

    assert [message["content"] for message in encoded.payload.parsed("messages")] == ["a", "b"]  # type: ignore[attr-defined]
    assert Loss("thinking") in encoded.losses


def test_losses_are_told_once() -> None:
    assert (
        PROVIDER.write_request(evolve(A1, turns=A1.turns * 3), PLAIN, is_anthropic=False).losses.count(
            Loss("thinking")
        )
        == 1
    )


# ------------------------------------------------------------------------------- who cannot stop thinking

LEAST = (Effort.LOW, Effort.HIGH)


@pytest.mark.parametrize(
    "style, expected",
    [
        (ReasoningStyle.EFFORT, {"reasoning_effort": "low"}),
        (ReasoningStyle.OPENROUTER, {"reasoning": {"effort": "low"}}),
        (ReasoningStyle.THINKING_TYPE, {"thinking": {"type": "enabled"}, "reasoning_effort": "low"}),
        (ReasoningStyle.BOTH, {"thinking": {"type": "enabled"}, "enable_thinking": True}),
        (ReasoningStyle.ENABLE_THINKING, {"enable_thinking": True, "thinking_budget": 128}),
    ],
)
def test_a_model_that_cannot_stop_is_asked_for_the_least(
    style: ReasoningStyle, expected: dict[str, Any]
) -> None:
    profile = ModelProfile(reasoning=style, efforts=LEAST, reasoning_off=False, min_budget=128)
    body = written(said(reasoning=Reasoning(OFF)), profile)
    del body["model"], body["messages"]
    assert body == expected


def test_both_words_for_who_is_not_known() -> None:
    profile = ModelProfile(reasoning=ReasoningStyle.BOTH)
    body = written(said(reasoning=Reasoning(OFF)), profile)
    assert (body["thinking"], body["enable_thinking"]) == ({"type": "disabled"}, False)


@pytest.mark.parametrize(
    "asked, limit, sent",
    [(100, None, 512), (600, None, 600), (9000, None, 2000), (9000, 1500, 750), (600, 600, None)],
)
def test_budgets_are_within_the_models_bounds(asked: int, limit: int | None, sent: int | None) -> None:
    reasoning = Reasoning(ON, budget=asked)

    def body(style: ReasoningStyle) -> dict[str, Any]:
        profile = ModelProfile(reasoning=style, min_budget=512, max_budget=2000, efforts=())
        return written(said(reasoning=reasoning, max_tokens=limit), profile)

    assert body(ReasoningStyle.ENABLE_THINKING).get("thinking_budget") == sent
    assert body(ReasoningStyle.OPENROUTER)["reasoning"].get("max_tokens") == sent
