from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from attrs import evolve

from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.domain.conversation import (
    CacheMark,
    Conversation,
    Effort,
    FreeformTool,
    FunctionTool,
    HostedTool,
    Opaque,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    SearchOptions,
    Text,
    Thinking,
    ToolCall,
    ToolChoice,
    ToolMode,
    ToolResult,
    Turn,
)
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.provenance import Origin, Seal
from ccr.domain.stream import BlockStart
from ccr.domain.verbatim import Json, Verbatim
from tests.support.anthropic_calls import call, fixtures, request

PLAIN = ModelProfile()
HI = Turn(Role.USER, (Text("hi"),))


def written(
    conversation: Conversation, profile: ModelProfile = PLAIN, *, is_anthropic: bool = True
) -> tuple[dict[str, Any], list[str]]:
    encoded = AnthropicProvider().write_request(conversation, profile, is_anthropic=is_anthropic)
    return json.loads(encoded.payload.encode()), [str(loss) for loss in encoded.losses]


def own(**fields: object) -> Conversation:
    return AnthropicClient().read(request(**fields)).conversation()


@pytest.mark.parametrize("name, headers, body", [pytest.param(*case, id=case[0]) for case in fixtures()])
def test_requests_of_real_clients_reach_anthropic_unchanged(
    name: str, headers: dict[str, str], body: dict[str, Any]
) -> None:
    raw = json.dumps(body, ensure_ascii=False).encode()
    conversation = AnthropicClient().read(call(raw, headers)).conversation()
    payload, losses = written(evolve(conversation, model="other"))

    assert payload == {**body, "model": "other"}
    assert losses == []


@pytest.mark.parametrize("name, headers, body", [pytest.param(*case, id=case[0]) for case in fixtures()])
def test_others_get_the_api_of_before_the_betas(
    name: str, headers: dict[str, str], body: dict[str, Any]
) -> None:
    raw = json.dumps(body, ensure_ascii=False).encode()
    payload, _ = written(AnthropicClient().read(call(raw, headers)).conversation(), is_anthropic=False)
    text = json.dumps(payload)

    assert set(payload) <= {"model", "max_tokens", "system", "messages", "tools", "temperature", "stream"}
    for word in (
        "defer_loading",
        "DeferredToolPlaceholder",
        "tool_reference",
        "x-anthropic-billing",
        "user_id",
    ):
        assert word not in text
    roles = [message["role"] for message in payload["messages"]]
    assert all(first != second for first, second in itertools.pairwise(roles))
    assert ("system-reminder" in text) or "system" not in [message["role"] for message in body["messages"]]


def test_untouched_turns_are_their_own_bytes_and_changed_ones_are_written() -> None:
    source = Turn(Role.USER, (Text("hi"),), Verbatim("anthropic", b'{"role":"user","content":"hi","x":1}'))
    foreign = Turn(Role.USER, (Text("hi"),), Verbatim("openai_chat", b"{}"))
    provider = AnthropicProvider()
    encoded = provider.write_request(Conversation("m", (source, foreign)), PLAIN, is_anthropic=True)

    plain = b'{"role":"user","content":[{"type":"text","text":"hi"}]}'
    assert encoded.payload.get("messages") == Json(b"[" + source.source.data + b"," + plain + b"]")  # type: ignore[union-attr]
    assert provider.write_turn(source, PLAIN) == plain
    assert encoded.headers == (("anthropic-version", "2023-06-01"),)


def test_a_turn_of_nothing_but_foreign_thinking_is_left_out() -> None:
    thinking = Thinking("h", Seal(Origin("gemini"), "x", "y"))
    payload, losses = written(Conversation("m", (HI, Turn(Role.ASSISTANT, (thinking,)))))

    assert len(payload["messages"]) == 1
    assert losses == ["thinking=dropped"]


@pytest.mark.parametrize(
    "wanted, limit, expected",
    [(None, None, 32_000), (None, 500, 500), (800, 500, 500), (300, 500, 300), (300, None, 300)],
)
def test_the_output_limit_is_always_there_and_never_over_the_models(
    wanted: int | None, limit: int | None, expected: int
) -> None:
    payload, _ = written(Conversation("m", (HI,), max_tokens=wanted), ModelProfile(max_output=limit))

    assert payload["max_tokens"] == expected


def test_what_the_vocabulary_says_is_written() -> None:
    payload, _ = written(
        Conversation(
            "m",
            (HI,),
            (Text("s", CacheMark("1h")),),
            (
                FunctionTool("t", "d", Json(b"{}"), True, True, False, CacheMark()),  # positions of a value
                FreeformTool("f", "d"),
                HostedTool("x", "x", "openai_chat", Json(b"{}")),
            ),
            ToolChoice(ToolMode.NAMED, "t", parallel=False),
            Sampling(0.5, 0.25, 7),
            Reasoning(ReasoningMode.ON, Effort.HIGH, None, visible=True),
            OutputFormat(Json(b'{"a":1}')),
            stop=("x",),
            user="u",
            service_tier="flex",
            dialect="openai_chat",
            extra=(("seed", Json(b"1")),),
            stream=True,
        ),
        ModelProfile(
            reasoning=ReasoningStyle.ANTHROPIC_BUDGET, sampling_with_reasoning=True, image_results=True
        ),
    )

    assert payload == {
        "model": "m",
        "max_tokens": 32_000,
        "system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
        "tools": [
            {
                "name": "t",
                "description": "d",
                "input_schema": {"type": "object"},
                "strict": True,
                "defer_loading": True,
                "eager_input_streaming": False,
                "cache_control": {"type": "ephemeral"},
            },
            {
                "name": "f",
                "description": "d",
                "input_schema": {
                    "type": "object",
                    "properties": {"input": {"type": "string"}},
                    "required": ["input"],
                },
            },
        ],
        "tool_choice": {"type": "tool", "name": "t", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "top_k": 7,
        "stop_sequences": ["x"],
        "thinking": {"type": "enabled", "budget_tokens": 16_384, "display": "summarized"},
        "output_config": {"format": {"type": "json_schema", "schema": {"a": 1}}},
        "metadata": {"user_id": "u"},
        "stream": True,
    }


@pytest.mark.parametrize(
    "change, expected",
    [
        ({}, {"thinking": {"type": "adaptive", "display": "updates"}, "output_config": {"effort": "ultra"}}),
        (
            {"reasoning": Reasoning(ReasoningMode.ADAPTIVE, Effort.MINIMAL, visible=False)},
            {"thinking": {"type": "adaptive", "display": "omitted"}, "output_config": {"effort": "low"}},
        ),
        ({"reasoning": Reasoning(ReasoningMode.OFF, visible=True)}, {"thinking": {"type": "disabled"}, "output_config": {"effort": "ultra"}}),
        ({"reasoning": Reasoning()}, {"output_config": {"effort": "ultra"}}),
        (
            {"output_format": OutputFormat()},
            {
                "thinking": {"type": "adaptive", "display": "updates"},
                "output_config": {"format": {"type": "json_schema", "schema": {"type": "object"}}},
            },
        ),
        ({"dialect": "other", "reasoning": Reasoning()}, {}),
    ],
)  # fmt: skip
def test_fields_go_as_they_came_unless_their_meaning_was_changed(
    change: dict[str, Any], expected: dict[str, object]
) -> None:
    conversation = own(
        thinking={"type": "adaptive", "display": "updates"}, output_config={"effort": "ultra"}, speed="fast"
    )
    payload, _ = written(evolve(conversation, **change))

    assert payload.pop("speed", None) == (None if "dialect" in change else "fast")
    assert {name: payload[name] for name in payload if name in ("thinking", "output_config")} == expected


def test_service_tier_and_metadata_go_home() -> None:
    payload, _ = written(own(service_tier="auto", metadata={"user_id": "u", "x": 1}))

    assert (payload["service_tier"], payload["metadata"]) == ("auto", {"user_id": "u", "x": 1})


def test_what_others_cannot_take_is_dropped_and_said() -> None:
    payload, losses = written(
        own(
            system=[
                {"type": "text", "text": "x-anthropic-billing-header: a"},
                {"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                {"type": "text", "text": ""},
            ],
            tools=[
                {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True},
                {"name": "t", "input_schema": {}, "strict": True, "defer_loading": True},
                {"name": "web_search", "type": "web_search_20250305"},
            ],
            tool_choice={"type": "none"},
            thinking={"type": "adaptive"},
            output_config={"effort": "max", "format": {"type": "json_schema"}},
            context_management={},
            service_tier="auto",
        ),
        is_anthropic=False,
    )

    assert payload["system"] == [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}]
    assert payload["tools"] == [{"name": "t", "input_schema": {"type": "object"}}]
    assert payload["tool_choice"] == {"type": "none"}
    assert losses == [
        "web_search_20250305=dropped",
        "reasoning=dropped",
        "context_management=dropped",
        "output_format=dropped",
        "service_tier=dropped",
    ]


def test_a_choice_of_tools_goes_with_the_last_tool_and_freeform_tools_stay() -> None:
    bare, _ = written(own(tools=[], tool_choice={"type": "auto"}), is_anthropic=False)
    free, _ = written(Conversation("m", (HI,), tools=(FreeformTool("f"),)), is_anthropic=False)

    assert "tool_choice" not in bare
    assert free["tools"][0]["name"] == "f"


@pytest.mark.parametrize(
    "reasoning, style, max_tokens, expected",
    [
        (Reasoning(ReasoningMode.ADAPTIVE, Effort.LOW), ReasoningStyle.ANTHROPIC_BUDGET, 9000, {"type": "enabled", "budget_tokens": 1024}),
        (Reasoning(ReasoningMode.ON, budget=8000), ReasoningStyle.THINKING_TYPE, 4000, {"type": "enabled", "budget_tokens": 3999}),
        (Reasoning(ReasoningMode.ON), ReasoningStyle.ANTHROPIC_BUDGET, 500, None),
        (Reasoning(ReasoningMode.OFF), ReasoningStyle.ANTHROPIC, 9000, {"type": "disabled"}),
        (Reasoning(ReasoningMode.OFF), ReasoningStyle.NONE, 9000, None),
        (Reasoning(), ReasoningStyle.ANTHROPIC, 9000, None),
    ],
)  # fmt: skip
def test_thinking_as_others_know_it(
    reasoning: Reasoning, style: ReasoningStyle, max_tokens: int, expected: object
) -> None:
    conversation = Conversation("m", (HI,), reasoning=reasoning, max_tokens=max_tokens)
    payload, _ = written(conversation, ModelProfile(reasoning=style), is_anthropic=False)

    assert payload.get("thinking") == expected


def test_sampling_stays_out_where_it_may_not_go_with_thinking() -> None:
    profile = ModelProfile(sampling_with_reasoning=False)
    thinking = Conversation("m", (HI,), sampling=Sampling(1.0), reasoning=Reasoning(ReasoningMode.ON))

    assert "temperature" not in written(thinking, profile)[0]
    assert "temperature" in written(evolve(thinking, reasoning=Reasoning()), profile)[0]


def test_what_the_vocabulary_has_no_word_for_goes_back_to_anthropic_alone() -> None:
    """Even where something else had to be changed, and the tools are written anew."""
    entry = {
        "name": "t",
        "input_schema": {},
        "cache_control": {"type": "ephemeral", "ttl": "1h", "scope": "global"},
        "input_examples": [{"a": 1}],
        "allowed_callers": ["direct"],
    }
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], "tools": [entry]}
    conversation = AnthropicClient().read(call(json.dumps(body).encode())).conversation()
    own = AnthropicProvider().write_request(conversation, ModelProfile(), is_anthropic=True)
    other = AnthropicProvider().write_request(conversation, ModelProfile(), is_anthropic=False)

    assert own.payload.parsed("tools") == [entry]
    assert other.payload.parsed("tools") == [
        {"name": "t", "input_schema": {"type": "object"}, "cache_control": {"type": "ephemeral"}}
    ]


# ----------------------------------------------------------------------------------- what others may say


def of_another(*turns: Turn, is_anthropic: bool = True, **profile: Any) -> list[Any]:
    conversation = Conversation("m", turns, dialect="openai_chat")
    payload, _ = written(conversation, ModelProfile(**profile), is_anthropic=is_anthropic)
    return [(message["role"], message["content"]) for message in payload["messages"]]


def says(text: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": text}]


BEGINS = ("user", says("[the conversation begins]"))
ANSWER = Turn(Role.ASSISTANT, (Text("a"),))


@pytest.mark.parametrize("is_anthropic", [True, False])
def test_the_user_has_the_first_word(is_anthropic: bool) -> None:
    assert of_another(is_anthropic=is_anthropic) == [BEGINS]
    spoken = of_another(ANSWER, HI, is_anthropic=is_anthropic)
    assert spoken == [BEGINS, ("assistant", says("a")), ("user", says("hi"))]


def test_a_word_of_the_systems_may_come_before_it() -> None:
    system = Turn(Role.SYSTEM, (Text("s"),))
    assert of_another(system, HI) == [("system", says("s")), ("user", says("hi"))]


@pytest.mark.parametrize("is_anthropic", [True, False])
def test_the_user_has_the_last_word_where_the_assistant_may_not(is_anthropic: bool) -> None:
    begun = [("user", says("hi")), ("assistant", says("a"))]

    assert of_another(HI, ANSWER, is_anthropic=is_anthropic, prefill=True) == begun
    again = of_another(HI, ANSWER, is_anthropic=is_anthropic, prefill=False)
    assert again == [*begun, ("user", says("Continue."))]


def test_who_speaks_this_dialect_to_anthropic_frames_its_turns_itself() -> None:
    message = {"role": "assistant", "content": "a"}
    payload, _ = written(own(messages=[message]), ModelProfile(prefill=False))

    assert payload["messages"] == [message]


@pytest.mark.parametrize("is_anthropic", [True, False])
def test_calls_and_results_are_paired(is_anthropic: bool) -> None:
    call = Turn(Role.ASSISTANT, (ToolCall("c", "f"),))
    lost = Turn(Role.USER, (ToolResult("other", (Text("r"),)), Text("and?")))
    *_, (_, (result, text)) = of_another(HI, call, lost, is_anthropic=is_anthropic)

    assert (result["tool_use_id"], result["is_error"], text["text"]) == ("c", True, "and?")


def test_what_cannot_be_written_is_told_the_model() -> None:
    heard = Opaque("openai_chat", "input_audio", Json(b"{}"))
    assert of_another(Turn(Role.USER, (heard,))) == [
        ("user", says("[input_audio left out: this model cannot be given it]"))
    ]
    assert of_another(HI, Turn(Role.ASSISTANT, (heard,)), HI) == [("user", says("hi"))] * 2


@pytest.mark.parametrize(
    "schema, expected",
    [
        ({"type": "object", "properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({}, {"type": "object"}),
        ({"type": ["object", "null"], "title": "T"}, {"type": "object", "title": "T"}),
        (
            {
                "anyOf": [{"properties": {"a": {"type": "string"}}, "required": ["a"]}, 7],
                "oneOf": [{"properties": {"b": {}}}],
                "allOf": None,
                "properties": {"b": {"type": "integer"}},
            },
            {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}},
        ),
        ({"anyOf": [{"properties": []}]}, {"type": "object"}),
    ],
)
def test_the_root_of_a_tools_schema_is_an_object(schema: dict[str, Any], expected: dict[str, Any]) -> None:
    tool = FunctionTool("t", "", Json(json.dumps(schema).encode()))
    payload, _ = written(Conversation("m", (HI,), tools=(tool,), dialect="openai_chat"))

    assert payload["tools"][0]["input_schema"] == expected


def test_a_name_that_only_another_dialect_takes_is_mended_everywhere_and_given_back() -> None:
    name = "mcp.server:f"
    conversation = Conversation(
        "m",
        (HI, Turn(Role.ASSISTANT, (ToolCall("c", name),)), Turn(Role.USER, (ToolResult("c", (Text("r"),)),))),
        tools=(FunctionTool(name), FunctionTool("Read"), HostedTool("web_search", "web_search", "gemini", Json(b"{}"), SearchOptions())),
        tool_choice=ToolChoice(ToolMode.NAMED, name),
        dialect="gemini",
    )  # fmt: skip
    payload, _ = written(conversation)

    (short, read, search) = (tool["name"] for tool in payload["tools"])
    assert short.startswith("mcp_server_f_")
    assert (read, search) == ("Read", "web_search")
    assert payload["tool_choice"]["name"] == payload["messages"][1]["content"][0]["name"] == short
    stage = AnthropicProvider().reply_stage(conversation, ModelProfile())
    assert stage is not None
    (event,) = stage.feed([BlockStart(0, ToolCall("d", short))])
    assert event == BlockStart(0, ToolCall("d", name))
