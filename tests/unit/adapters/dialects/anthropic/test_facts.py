from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.domain.conversation import Effort, ReasoningMode
from ccr.domain.facts import Operation, RequestClass, RequestFacts, SessionKey
from tests.support.anthropic_calls import call, request


def facts(headers: dict[str, str] | None = None, **fields: Any) -> RequestFacts:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **fields})
    return AnthropicClient().read(call(body.encode(), headers, Operation.COUNT)).facts


def user(*blocks: object) -> dict[str, object]:
    return {"role": "user", "content": list(blocks)}


IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 1000}}
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}
ASSISTANT = {"role": "assistant", "content": [{"type": "text", "text": "ok"}]}
TAG = "<CCR-SUBAGENT-MODEL> p,m </CCR-SUBAGENT-MODEL>"


def test_the_plainest_request() -> None:
    found = facts()

    assert found == RequestFacts(Operation.COUNT, "anthropic", "m", size=found.size, text_size=found.size)
    assert AnthropicClient().read(request()).facts.max_tokens == 100


def test_the_hints_of_the_client() -> None:
    found = facts(
        {
            "x-claude-code-session-id": "s",
            "x-claude-code-agent-id": "a",
            "x-claude-code-parent-agent-id": "p",
            "x-claude-code-agent-type": "Explore",
            "x-claude-code-request-class": "Compaction",
            "x-claude-code-compaction": "auto",
            "x-claude-code-prompt-id": "q" * 500,
            "user-agent": "claude-cli/2.1.330 (external, cli)",
        }
    )

    assert found.session == SessionKey("s", "a", "p")
    assert found.is_subagent
    assert (found.agent_type, found.request_class) == ("Explore", RequestClass.COMPACTION)
    assert (found.compaction, found.prompt_id, found.client) == ("auto", "q" * 200, "claude-cli/2.1.330")


def test_a_class_that_we_do_not_know_is_no_hint() -> None:
    assert facts({"x-claude-code-request-class": "vibes"}).request_class is None
    assert facts({"x-claude-code-request-class": "subagent"}).is_subagent


@pytest.mark.parametrize(
    "user_id, session",
    [
        ('{"device_id":"d","account_uuid":"","session_id":"s1"}', "s1"),
        ('{"session_id":7}', ""),
        ("{broken", ""),
        ("user_ab_account__session_s2-x", "s2-x"),
        ("somebody", ""),
    ],
)
def test_both_shapes_of_the_user_id(user_id: str, session: str) -> None:
    assert facts(metadata={"user_id": user_id}).session.session == session


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({"system": [{"type": "text", "text": f"x {TAG}"}]}, "p,m"),
        ({"system": f"{TAG}"}, "p,m"),
        ({"messages": [{"role": "system", "content": "s"}, user({"type": "text", "text": TAG})]}, "p,m"),
        ({"messages": [{"role": "user", "content": TAG}]}, "p,m"),
        ({"messages": [user(), ASSISTANT, {"role": "system", "content": TAG}]}, "p,m"),
        ({"messages": [user({"type": "tool_result", "tool_use_id": "t", "content": TAG})]}, ""),
        ({"messages": [user(), ASSISTANT, user({"type": "text", "text": TAG})]}, ""),
        ({"messages": [{"role": "user", "content": []}], "metadata": {"user_id": TAG}}, ""),
    ],
)
def test_the_subagent_tag(fields: dict[str, Any], expected: str) -> None:
    assert facts(**fields).subagent_tag == expected


def test_the_billing_block_tells_a_subagent() -> None:
    block = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2; cc_is_subagent=true;"}

    assert facts(system=[block]).is_subagent
    assert not facts(system=[{"type": "text", "text": "cc_is_subagent=true"}]).is_subagent
    assert not facts(system=None).is_subagent


@pytest.mark.parametrize(
    "model, name, wants", [("m[1m]", "m", True), ("p,m[1M]", "p,m", True), ("m[2m]", "m[2m]", False)]
)
def test_the_suffix_for_a_long_window(model: str, name: str, wants: bool) -> None:
    assert (facts(model=model).model, facts(model=model).wants_1m) == (name, wants)


@pytest.mark.parametrize(
    "fields, mode, budget, effort",
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, ReasoningMode.ON, 5, None),
        ({"thinking": {"type": "disabled"}}, ReasoningMode.OFF, None, None),
        ({"thinking": {"type": "adaptive"}}, ReasoningMode.ADAPTIVE, None, None),
        ({"thinking": {"type": "other"}, "output_config": {"effort": "MAX"}}, ReasoningMode.UNSET, None, Effort.MAX),
        ({"output_config": {"effort": "vast"}}, ReasoningMode.UNSET, None, None),
    ],
)  # fmt: skip
def test_thinking(
    fields: dict[str, Any], mode: ReasoningMode, budget: int | None, effort: Effort | None
) -> None:
    found = facts(**fields)

    assert (found.thinking, found.budget, found.effort) == (mode, budget, effort)


def test_tools() -> None:
    found = facts(
        tools=[{"name": "a"}, {"name": "b", "type": "custom"}, {"name": "w", "type": "web_search_1"}]
    )

    assert (found.tools, found.tool_kinds) == (3, ("web_search_1",))


@pytest.mark.parametrize(
    "messages, expected",
    [
        ([user(IMAGE)], True),
        ([user(RESULT)], True),
        ([ASSISTANT, user(RESULT), {"role": "system", "content": "x"}], True),
        ([user(IMAGE), ASSISTANT, user({"type": "text", "text": '"image"'})], False),
        ([{"role": "user", "content": [{"type": ["image"]}]}], False),
        ([{"role": ["user"], "content": "image"}], False),
    ],
)
def test_a_picture_in_the_current_turn(messages: list[object], expected: bool) -> None:
    assert facts(messages=messages).images is expected


def test_pictures_are_not_text() -> None:
    found = facts(messages=[user(IMAGE, RESULT), ASSISTANT, user({"type": "text", "text": "base64"})])
    odd = facts(messages=[user({"type": "image", "source": {"type": "base64", "data": 7}})])

    assert found.size - found.text_size == 2000
    assert odd.size == odd.text_size


@pytest.mark.parametrize(
    "messages, expected",
    [
        ([user({"type": "text", "text": "Plan mode is active. Do not edit."})], True),
        ([user({"type": "text", "text": "Plan mode is active."}), ASSISTANT, {"role": "system", "content": "x"}], True),
        ([{"role": "system", "content": "Plan mode is active"}], True),
        ([user({"type": "text", "text": "Plan mode is active"}), user({"type": "text", "text": "## Exited Plan Mode"})], False),
        (
            [
                user({"type": "text", "text": "Plan mode is active"}),
                user({"type": "tool_result", "tool_use_id": "t", "content": "User has approved your plan."}),
            ],
            False,
        ),
        ([user({"type": "tool_result", "tool_use_id": "t", "content": "Plan mode is active"})], False),
        ([{"role": "assistant", "content": "Plan mode is active"}], False),
        ([user({"type": "text", "text": "hi"})], False),
    ],
)  # fmt: skip
def test_plan_mode_by_its_text(messages: list[object], expected: bool) -> None:
    assert facts(messages=messages).plan_mode is expected


@pytest.mark.parametrize(
    "safeguards, expected",
    [
        ([{"type": "x", "classifier_context": {"permission_mode": "plan"}}], True),
        ([{"type": "x", "classifier_context": {"permission_mode": "default"}}], False),
        ([{"type": "x"}, 7], False),
        ({}, False),
    ],
)
def test_plan_mode_by_the_safeguards(safeguards: object, expected: bool) -> None:
    assert facts(safeguards=safeguards).plan_mode is expected
