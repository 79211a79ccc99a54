"""Thinking, sampling and forced tools at an Anthropic door, by the model behind it (providers.md 4.2, 4.4): never a 400."""

from __future__ import annotations

import json
from typing import Any

import pytest
from attrs import evolve

from ccr.adapters.dialects.anthropic import AnthropicProvider
from ccr.adapters.providers.loader import PackagedProviders
from ccr.domain.conversation import (
    Conversation,
    Effort,
    FunctionTool,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    Text,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.models import ModelProfile, ReasoningStyle

BOOK = PackagedProviders()
HI = Turn(Role.USER, (Text("hi"),))
ON, ADAPTIVE, OFF = ReasoningMode.ON, ReasoningMode.ADAPTIVE, ReasoningMode.OFF
NEW, OLD = "claude-opus-4-7", "claude-sonnet-4-5-20250929"


def profile_of(provider: str, model: str) -> ModelProfile:
    spec = BOOK.by_name(provider)
    assert spec is not None
    return spec.profile(model)


def sent(
    profile: ModelProfile, *, is_anthropic: bool = True, dialect: str = "openai_chat", **fields: Any
) -> tuple[dict[str, Any], list[str]]:
    conversation = Conversation("m", (HI,), dialect=dialect, **{"max_tokens": 20_000, **fields})
    encoded = AnthropicProvider().write_request(conversation, profile, is_anthropic=is_anthropic)
    body = json.loads(encoded.payload.encode())
    for name in ("model", "messages", "max_tokens"):
        del body[name]
    return body, [str(loss) for loss in encoded.losses]


def adaptive(effort: str = "") -> dict[str, Any]:
    return {"thinking": {"type": "adaptive"}, **({"output_config": {"effort": effort}} if effort else {})}


def budget(tokens: int) -> dict[str, Any]:
    return {"thinking": {"type": "enabled", "budget_tokens": tokens}}


@pytest.mark.parametrize(
    "model, reasoning, expected",
    [
        (NEW, Reasoning(), {}),
        (NEW, Reasoning(ON), adaptive()),
        (NEW, Reasoning(ON, budget=2000), adaptive("medium")),
        (NEW, Reasoning(ADAPTIVE, Effort.MINIMAL), adaptive("low")),
        (NEW, Reasoning(ON, Effort.XHIGH, 2000), adaptive("xhigh")),
        (NEW, Reasoning(effort=Effort.HIGH), {"output_config": {"effort": "high"}}),
        (NEW, Reasoning(OFF), {"thinking": {"type": "disabled"}}),
        ("claude-opus-5-5", Reasoning(OFF), {"output_config": {"effort": "low"}}),
        (NEW, Reasoning(ADAPTIVE, visible=False), {"thinking": {"type": "adaptive", "display": "omitted"}}),
        (OLD, Reasoning(ADAPTIVE, Effort.LOW), budget(1024)),
        (OLD, Reasoning(ON), budget(8192)),
        (OLD, Reasoning(ON, Effort.MAX), budget(19_999)),
        (OLD, Reasoning(ON, budget=3), budget(1024)),
        (OLD, Reasoning(effort=Effort.HIGH), {}),
        (OLD, Reasoning(OFF), {"thinking": {"type": "disabled"}}),
        ("claude-3-5-haiku-20241022", Reasoning(OFF), {}),
    ],
)
def test_anthropic_is_asked_as_its_model_understands(
    model: str, reasoning: Reasoning, expected: dict[str, Any]
) -> None:
    assert sent(profile_of("anthropic", model), reasoning=reasoning) == (expected, [])


@pytest.mark.parametrize(
    "provider, model, style",
    [
        ("anthropic", "claude-opus-4-6", "anthropic"),
        ("anthropic", "claude-sonnet-5", "anthropic"),
        ("anthropic", "claude-haiku-5-5-20260901", "anthropic"),
        ("anthropic", "claude-fable-5-1", "anthropic"),
        ("anthropic", "claude-haiku-4-5", "anthropic_budget"),
        ("anthropic", "claude-opus-4-1-20250805", "anthropic_budget"),
        ("anthropic", "claude-opus-4-0", "anthropic_budget"),
        ("anthropic", "claude-sonnet-4-20250514", "anthropic_budget"),
        ("anthropic", "claude-3-7-sonnet-latest", "anthropic_budget"),
        ("anthropic", "claude-3-haiku-20240307", "none"),
        ("bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic_budget"),
        ("bedrock", "us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic_budget"),
        ("bedrock", "anthropic.claude-opus-4-7-v1", "anthropic"),
        ("bedrock", "anthropic.claude-3-5-sonnet-20241022-v2:0", "none"),
        ("vertex", "claude-opus-4@20250514", "anthropic_budget"),
        ("vertex", "claude-sonnet-4-5@20250929", "anthropic_budget"),
        ("vertex", "claude-sonnet-5@20260203", "anthropic"),
        ("vertex", "gemini-3-pro-preview", "gemini_level"),
        ("azure", "claude-opus-4-1", "anthropic_budget"),
        ("azure", "claude-opus-5", "anthropic"),
        ("databricks", "databricks-claude-sonnet-4", "anthropic_budget"),
        ("databricks", "databricks-claude-opus-4-6", "anthropic"),
        ("aihubmix", "claude-sonnet-4.5", "anthropic_budget"),
    ],
)
def test_the_generation_of_a_claude_is_known_wherever_it_is_sold(
    provider: str, model: str, style: str
) -> None:
    assert profile_of(provider, model).reasoning.value == style


def test_a_budget_leaves_room_for_the_answer_or_there_is_none() -> None:
    old = profile_of("anthropic", OLD)

    assert sent(old, reasoning=Reasoning(ON, budget=9000), max_tokens=2000)[0] == budget(1999)
    assert sent(old, reasoning=Reasoning(ON), max_tokens=1024) == ({}, ["reasoning=dropped"])
    bounded = evolve(old, max_budget=4000)
    assert sent(bounded, reasoning=Reasoning(ON, budget=9000))[0] == budget(4000)


def test_a_model_that_cannot_think_is_not_asked_to() -> None:
    none = profile_of("anthropic", "claude-3-opus-20240229")

    assert sent(none, reasoning=Reasoning(ADAPTIVE, Effort.HIGH)) == ({}, ["reasoning=dropped"])
    assert sent(none, reasoning=Reasoning(effort=Effort.HIGH)) == ({}, [])


@pytest.mark.parametrize(
    "provider, model, reasoning, expected",
    [
        ("bedrock", "anthropic.claude-opus-4-7-v1", Reasoning(ADAPTIVE, Effort.HIGH, visible=True), adaptive("high")),
        ("moonshot", "kimi-k3", Reasoning(ADAPTIVE, Effort.MEDIUM), {"output_config": {"effort": "high"}}),
        ("moonshot", "kimi-k3", Reasoning(OFF), {"output_config": {"effort": "low"}}),
        ("moonshot", "kimi-k2.5", Reasoning(ADAPTIVE, Effort.HIGH), budget(16_384)),
        ("moonshot", "kimi-k2.5", Reasoning(OFF), {"thinking": {"type": "disabled"}}),
        ("deepseek", "deepseek-v4-pro", Reasoning(ADAPTIVE, Effort.HIGH), {**budget(16_384), "output_config": {"effort": "high"}}),
        ("deepseek", "deepseek-v4-pro", Reasoning(OFF), {"thinking": {"type": "disabled"}}),
        ("zhipu", "glm-5.3", Reasoning(OFF), {"output_config": {"effort": "low"}}),
        ("openrouter", "anthropic/claude-opus-5", Reasoning(ADAPTIVE, Effort.MAX), adaptive("xhigh")),
        ("minimax", "MiniMax-M3", Reasoning(ADAPTIVE, Effort.LOW), budget(1024)),
        ("minimax", "MiniMax-M3", Reasoning(effort=Effort.LOW), {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("dialect", ["anthropic", "gemini"])
def test_who_merely_speaks_like_anthropic_is_asked_in_its_words(
    provider: str, model: str, reasoning: Reasoning, expected: dict[str, Any], dialect: str
) -> None:
    profile = profile_of(provider, model)
    assert sent(profile, is_anthropic=False, dialect=dialect, reasoning=reasoning) == (expected, [])


# ---------------------------------------------------------------------------------------------- sampling


@pytest.mark.parametrize(
    "sampling, expected, losses",
    [
        (Sampling(0.5), {}, ["sampling=dropped"]),
        (Sampling(1.0), {}, []),
        (Sampling(1.0, 0.5), {}, ["sampling=dropped"]),
        (Sampling(), {}, []),
        (Sampling(seed=1, presence_penalty=0.5), {}, ["seed=dropped", "presence_penalty=dropped"]),
    ],
)
def test_a_model_that_refuses_sampling_is_sent_none(
    sampling: Sampling, expected: dict[str, Any], losses: list[str]
) -> None:
    assert sent(profile_of("anthropic", NEW), sampling=sampling) == (expected, losses)


def test_an_older_one_takes_it_while_it_does_not_think() -> None:
    old, warm = profile_of("anthropic", OLD), Sampling(0.5, None, 7)

    assert sent(old, sampling=warm) == ({"temperature": 0.5, "top_k": 7}, [])
    assert sent(old, sampling=warm, reasoning=Reasoning(ON)) == (budget(8192), ["sampling=dropped"])


def test_what_another_dialect_allows_is_cut_to_what_this_one_does() -> None:
    old = profile_of("anthropic", OLD)

    assert sent(old, sampling=Sampling(1.7)) == ({"temperature": 1.0}, ["temperature=1"])
    assert sent(old, sampling=Sampling(0.5, 0.9)) == ({"temperature": 0.5}, ["top_p=dropped"])
    assert sent(old, sampling=Sampling(None, 0.9)) == ({"top_p": 0.9}, [])


def test_who_speaks_to_anthropic_in_its_own_words_says_what_it_likes() -> None:
    new = profile_of("anthropic", NEW)
    own = sent(new, dialect="anthropic", sampling=Sampling(0.5, 0.9), reasoning=Reasoning(effort=Effort.MAX))

    assert own == ({"temperature": 0.5, "top_p": 0.9, "output_config": {"effort": "max"}}, [])
    asked = sent(new, dialect="anthropic", reasoning=Reasoning(ON, Effort.MINIMAL))
    assert asked == ({**budget(1024), "output_config": {"effort": "low"}}, [])
    assert sent(new, dialect="anthropic", reasoning=Reasoning(OFF, visible=True))[0] == {
        "thinking": {"type": "disabled"}
    }


# ------------------------------------------------------------------------------------------ forced tools

TOOLS = (FunctionTool("Read"), FunctionTool("x" * 70))
ALWAYS = profile_of("anthropic", "claude-opus-5-5")


@pytest.mark.parametrize(
    "profile, reasoning, choice, must",
    [
        (ALWAYS, Reasoning(), ToolChoice(ToolMode.REQUIRED), "at least one of the tools"),
        (ALWAYS, Reasoning(), ToolChoice(ToolMode.NAMED, "Read"), "the tool Read"),
        (profile_of("anthropic", OLD), Reasoning(ON), ToolChoice(ToolMode.REQUIRED), "at least one"),
    ],
)
def test_a_tool_that_must_not_be_forced_is_asked_for(
    profile: ModelProfile, reasoning: Reasoning, choice: ToolChoice, must: str
) -> None:
    body, losses = sent(profile, tools=TOOLS, tool_choice=choice, reasoning=reasoning, system=(Text("S"),))

    assert body["tool_choice"] == {"type": "auto"}
    first, last = body["system"]
    assert first["text"] == "S"
    assert last["text"].startswith(f"In your next message you must call {must}")
    assert losses == ["tool_choice=as text"]


@pytest.mark.parametrize(
    "profile, choice, dialect, expected",
    [
        (profile_of("anthropic", OLD), ToolChoice(ToolMode.REQUIRED), "gemini", {"type": "any"}),
        (ALWAYS, ToolChoice(ToolMode.AUTO), "gemini", {"type": "auto"}),
        (ALWAYS, ToolChoice(ToolMode.NONE), "gemini", {"type": "none"}),
        (ALWAYS, ToolChoice(ToolMode.NAMED, "gone"), "gemini", {"type": "auto"}),
        (ALWAYS, ToolChoice(ToolMode.REQUIRED), "anthropic", {"type": "any"}),
    ],
)
def test_any_other_choice_is_said(
    profile: ModelProfile, choice: ToolChoice, dialect: str, expected: dict[str, Any]
) -> None:
    body, losses = sent(profile, dialect=dialect, tools=TOOLS, tool_choice=choice)

    assert (body["tool_choice"], losses) == (expected, [])
    assert "system" not in body


def test_a_long_name_is_asked_for_as_it_is_written() -> None:
    weak = ModelProfile(tool_choice_required=False)
    choice = ToolChoice(ToolMode.NAMED, "x" * 70, parallel=False)
    body, _ = sent(weak, is_anthropic=False, tools=TOOLS, tool_choice=choice)

    name = body["tools"][1]["name"]
    assert len(name) <= 64
    assert f"the tool {name}." in body["system"][0]["text"]
    assert body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}


def test_styles_that_have_no_words_of_their_own_here_are_asked_for_a_budget() -> None:
    for style in (ReasoningStyle.ENABLE_THINKING, ReasoningStyle.BOTH):
        profile = ModelProfile(reasoning=style)
        assert sent(profile, is_anthropic=False, reasoning=Reasoning(ON, budget=5000))[0] == budget(5000)
