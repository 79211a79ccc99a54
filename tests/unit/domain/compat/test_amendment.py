from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.compat import Amendment, Change

DROP, KEYWORD, FLAG, MARK = Change.DROP, Change.KEYWORD, Change.FLAG, Change.MARK
ENABLED = {"type": "enabled", "budget_tokens": 4000}


def clamp(*allowed: str) -> Amendment:
    return Amendment(Change.CLAMP, "effort", allowed=allowed)


def thinking(*allowed: str) -> Amendment:
    return Amendment(Change.CLAMP, "thinking.type", allowed=allowed)


def cap(limit: int) -> Amendment:
    return Amendment(Change.CAP, "max_tokens", limit=limit)


AUTO = Amendment(Change.AUTO, "tool_choice")
RENAME = Amendment(Change.RENAME, "max_tokens", to="max_completion_tokens")
SCHEMA = {
    "$schema": "x",
    "type": "object",
    "properties": {"format": {"type": "string", "format": "uri"}, "b": {"anyOf": [{"format": "x"}, True]}},
    "required": ["format"],
    "default": {"format": 1},
}
BARE = {
    **SCHEMA,
    "properties": {"format": {"type": "string"}, "b": {"anyOf": [{}, True]}},
}


@pytest.mark.parametrize(
    "amendment, before, after",
    [
        (Amendment(DROP, "temperature"), {"temperature": 1, "x": 2}, {"x": 2}),
        (Amendment(DROP, "output_config.effort"), {"output_config": {"effort": "low"}}, {}),
        (
            Amendment(DROP, "output_config.effort"),
            {"output_config": {"effort": "low", "format": {}}},
            {"output_config": {"format": {}}},
        ),
        (
            Amendment(DROP, "generation_config.thinkingConfig"),
            {"generationConfig": {"thinkingConfig": {}, "topK": 1}},
            {"generationConfig": {"topK": 1}},
        ),
        (RENAME, {"max_tokens": 5}, {"max_completion_tokens": 5}),
        (RENAME, {"max_tokens": 5, "max_completion_tokens": 6}, {"max_completion_tokens": 6}),
        (AUTO, {"tool_choice": "required"}, {"tool_choice": "auto"}),
        (AUTO, {"tool_choice": {"type": "function", "function": {"name": "n"}}}, {"tool_choice": "auto"}),
        (
            AUTO,
            {"tool_choice": {"type": "tool", "name": "n", "disable_parallel_tool_use": True}},
            {"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}},
        ),
        (
            AUTO,
            {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["n"]}}},
            {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}},
        ),
        (cap(10), {"max_tokens": 50}, {"max_tokens": 10}),
        (cap(10), {"max_completion_tokens": 50}, {"max_completion_tokens": 10}),
        (
            cap(10),
            {"generationConfig": {"maxOutputTokens": 50, "topK": 1}},
            {"generationConfig": {"maxOutputTokens": 10, "topK": 1}},
        ),
        (
            cap(3000),
            {"max_tokens": 5000, "thinking": ENABLED},
            {"max_tokens": 3000, "thinking": {"type": "enabled", "budget_tokens": 2999}},
        ),
        (cap(1000), {"max_tokens": 5000, "thinking": ENABLED}, {"max_tokens": 1000}),
        (clamp("low", "high"), {"reasoning_effort": "medium"}, {"reasoning_effort": "high"}),
        (clamp("low", "high"), {"reasoning_effort": "xhigh"}, {"reasoning_effort": "high"}),
        (clamp("low", "high"), {"reasoning_effort": "odd"}, {"reasoning_effort": "high"}),
        (clamp("none", "default"), {"reasoning_effort": "low"}, {"reasoning_effort": "none"}),
        (clamp("default"), {"reasoning_effort": "low"}, {"reasoning_effort": "default"}),
        (clamp("else"), {"reasoning_effort": "low", "x": 1}, {"x": 1}),
        (clamp("low"), {"reasoning": {"effort": "high"}}, {"reasoning": {"effort": "low"}}),
        (clamp("low"), {"output_config": {"effort": "max"}}, {"output_config": {"effort": "low"}}),
        (
            clamp("low"),
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "HIGH"}}},
            {"generationConfig": {"thinkingConfig": {"thinkingLevel": "LOW"}}},
        ),
        (thinking("adaptive"), {"thinking": ENABLED}, {"thinking": {"type": "adaptive"}}),
        (
            thinking("enabled"),
            {"thinking": {"type": "adaptive", "display": "omitted"}, "max_tokens": 4096},
            {
                "thinking": {"type": "enabled", "budget_tokens": 2048, "display": "omitted"},
                "max_tokens": 4096,
            },
        ),
        (thinking("enabled"), {"thinking": {"type": "adaptive"}, "max_tokens": 1500}, {"max_tokens": 1500}),
        (thinking("enabled"), {"thinking": {"type": "adaptive"}}, {}),
        (thinking("enabled"), {"thinking": {"type": "disabled"}}, {}),
        (
            Amendment(KEYWORD, "format"),
            {"tools": [{"name": "n", "input_schema": SCHEMA}, "odd"]},
            {"tools": [{"name": "n", "input_schema": BARE}, "odd"]},
        ),
        (
            Amendment(KEYWORD, "format"),
            {"tools": [{"type": "function", "function": {"name": "n", "parameters": SCHEMA}}]},
            {"tools": [{"type": "function", "function": {"name": "n", "parameters": BARE}}]},
        ),
        (
            Amendment(KEYWORD, "format"),
            {"tools": [{"functionDeclarations": [{"name": "n", "parametersJsonSchema": SCHEMA}]}]},
            {"tools": [{"functionDeclarations": [{"name": "n", "parametersJsonSchema": BARE}]}]},
        ),
        (
            Amendment(FLAG, "strict"),
            {"tools": [{"function": {"name": "strict", "strict": True, "parameters": {"strict": 1}}}]},
            {"tools": [{"function": {"name": "strict", "parameters": {"strict": 1}}}]},
        ),
        (
            Amendment(MARK, "cache_control"),
            {
                "tools": [{"name": "n", "cache_control": {}}],
                "system": [{"text": "t", "cache_control": None}, 1],
            },
            {"tools": [{"name": "n"}], "system": [{"text": "t"}, 1]},
        ),
        (
            Amendment(MARK, "ttl"),
            {"system": [{"text": "t", "cache_control": {"type": "ephemeral", "ttl": "1h"}}]},
            {"system": [{"text": "t", "cache_control": {"type": "ephemeral"}}]},
        ),
        (
            Amendment(MARK, "ttl"),
            {"system": [{"text": "t", "cache_control": 5}]},
            {"system": [{"text": "t"}]},
        ),
        (
            Amendment(Change.BETA, "context-management-2025-06-27"),
            {"anthropic_beta": ["context-management-2025-06-27", "b"], "context_management": {}},
            {"anthropic_beta": ["b"]},
        ),
        (
            Amendment(Change.BETA, "context-management-2025-06-27"),
            {"anthropic_beta": ["context-management-2025-06-27"]},
            {},
        ),
        (
            Amendment(Change.BETA, "odd-2025-06-27"),
            {"anthropic_beta": ["odd-2025-06-27", "b"]},
            {"anthropic_beta": ["b"]},
        ),
    ],
)
def test_what_becomes_of_a_request(
    amendment: Amendment, before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    made = amendment.apply(before)

    assert made == after
    assert amendment.apply(made) is made
    assert set(amendment.reads(before)) >= {name for name in before if before[name] != after.get(name)}


DEEP: Any = {"format": "x"}
for _ in range(70):
    DEEP = {"items": DEEP}


@pytest.mark.parametrize(
    "amendment, fields",
    [
        (Amendment(DROP, "temperature"), {"x": 1}),
        (Amendment(DROP, "messages"), {"messages": []}),
        (Amendment(DROP, "messages.content"), {"messages": {"content": 1}}),
        (Amendment(DROP, "tools"), {"tools": []}),
        (Amendment(DROP, ""), {"": 1}),
        (Amendment(DROP, "a.b"), {"a": 1}),
        (Amendment(DROP, "a.b"), {"a": {"c": 1}}),
        (RENAME, {"x": 1}),
        (Amendment(Change.RENAME, "x", to="x"), {"x": 1}),
        (Amendment(Change.RENAME, "x", to="messages"), {"x": 1}),
        (Amendment(Change.RENAME, "model", to="x"), {"model": 1}),
        (AUTO, {}),
        (AUTO, {"tool_choice": {"type": "auto"}}),
        (AUTO, {"toolConfig": {}}),
        (cap(0), {"max_tokens": 5}),
        (cap(10), {"max_tokens": 5, "generationConfig": {}}),
        (cap(10), {"max_tokens": "many", "thinking": {"type": "adaptive"}}),
        (cap(10), {"thinking": {"type": "enabled", "budget_tokens": 5}}),
        (clamp("low"), {"reasoning_effort": 5, "reasoning": "x"}),
        (clamp("low"), {"reasoning_effort": "low"}),
        (thinking("enabled"), {"thinking": ENABLED}),
        (thinking("enabled"), {"thinking": {"budget_tokens": 1}}),
        (thinking("enabled"), {}),
        (Amendment(KEYWORD, "type"), {"tools": [{"input_schema": SCHEMA}]}),
        (Amendment(KEYWORD, "format"), {"tools": {}}),
        (Amendment(KEYWORD, "format"), {"tools": [{"format": 1, "input_schema": True}]}),
        (Amendment(KEYWORD, "format"), {"tools": [{"input_schema": DEEP}]}),
        (Amendment(KEYWORD, "format"), {"tools": [{"input_schema": {"properties": ["odd"]}}]}),
        (Amendment(FLAG, "name"), {"tools": [{"name": "n"}]}),
        (Amendment(MARK, "text"), {"system": [{"text": "t", "cache_control": {"text": 1}}]}),
        (Amendment(MARK, "ttl"), {"system": "t"}),
        (Amendment(Change.BETA, "odd-2025-06-27"), {"anthropic_beta": []}),
        (Amendment(Change.BETA, "odd-2025-06-27"), {"anthropic_beta": "odd"}),
    ],
)
def test_what_it_does_not_touch(amendment: Amendment, fields: Mapping[str, object]) -> None:
    assert amendment.apply(fields) is fields


@pytest.mark.parametrize(
    "amendment, header, left",
    [
        (Amendment(Change.BETA, "a-2025-01-01"), "a-2025-01-01, b", "b"),
        (Amendment(Change.BETA, "a-2025-01-01"), "a-2025-01-01", ""),
        (Amendment(Change.BETA, "a-2025-01-01"), "c, b", "c, b"),
        (Amendment(DROP, "a-2025-01-01"), "a-2025-01-01", "a-2025-01-01"),
    ],
)
def test_a_beta_is_not_asked_for(amendment: Amendment, header: str, left: str) -> None:
    assert amendment.betas(header) == left


def test_it_says_what_it_does() -> None:
    said = [str(one) for one in (Amendment(DROP, "seed"), RENAME, cap(10), clamp("low", "high"))]

    assert said == [
        "drop seed",
        "rename max_tokens to max_completion_tokens",
        "cap max_tokens at 10",
        "clamp effort to low, high",
    ]


VALUES = st.recursive(
    st.none() | st.integers(-5, 99999) | st.sampled_from(["auto", "high", "enabled", "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "effort",
                    "format",
                    "cache_control",
                    "ttl",
                    "function",
                    "parameters",
                    "input_schema",
                    "properties",
                    "name",
                    "budget_tokens",
                    "thinkingConfig",
                    "thinkingLevel",
                    "maxOutputTokens",
                    "functionCallingConfig",
                    "strict",
                    "functionDeclarations",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
REQUESTS = st.dictionaries(
    st.sampled_from(
        [
            "tools",
            "system",
            "messages",
            "max_tokens",
            "thinking",
            "reasoning",
            "reasoning_effort",
            "output_config",
            "generationConfig",
            "tool_choice",
            "toolConfig",
            "anthropic_beta",
            "temperature",
        ]
    ),
    VALUES,
)
AMENDMENTS = st.builds(
    Amendment,
    st.sampled_from(Change),
    st.sampled_from(
        [
            "temperature",
            "format",
            "strict",
            "ttl",
            "thinking.type",
            "effort",
            "max_tokens",
            "generation_config.x",
        ]
    )
    | st.text(max_size=8),
    st.sampled_from(["", "messages", "max_output_tokens"]),
    st.integers(-5, 5000),
    st.lists(st.sampled_from(["low", "high", "enabled", "adaptive", "default"]), max_size=3).map(tuple),
)


@given(AMENDMENTS, REQUESTS)
def test_applying_it_twice_is_applying_it_once(amendment: Amendment, fields: dict[str, Any]) -> None:
    once = amendment.apply(fields)

    assert amendment.apply(once) is once
    assert once.get("messages") == fields.get("messages")
