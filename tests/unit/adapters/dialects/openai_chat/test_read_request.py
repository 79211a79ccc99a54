from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatClient
from ccr.adapters.dialects.openai_chat.read_request import ChatEcho
from ccr.domain.conversation import (
    CacheMark,
    Effort,
    FreeformTool,
    FunctionTool,
    HostedTool,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Sampling,
    SearchOptions,
    ToolChoice,
    ToolMode,
)
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import InvalidRequestError
from ccr.domain.verbatim import Json
from tests.support.chat_calls import call, conversation, parsed, request

ON, OFF, ADAPTIVE = ReasoningMode.ON, ReasoningMode.OFF, ReasoningMode.ADAPTIVE
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
MINE = FunctionTool("f", schema=Json(b'{"type": "object"}'))


def test_all_that_has_a_word() -> None:
    made = conversation(
        temperature=0.5,
        top_p=0.9,
        top_k=3,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=0.2,
        stop=["X", "Y"],
        max_tokens=9,
        max_completion_tokens=10,
        service_tier="flex",
        user="u",
        metadata={"a": "b"},
        prompt_cache_key="k",
        stream=True,
        logit_bias={"1": 2},
        verbosity="low",
        store=None,
        n=1,
    )
    assert made.sampling == Sampling(0.5, 0.9, 3, 7, 0.1, 0.2)
    assert (made.stop, made.max_tokens, made.stream) == (("X", "Y"), 10, True)
    assert (made.service_tier, made.user, made.cache_key) == ("flex", "u", "k")
    assert made.metadata == Json(b'{"a": "b"}')
    assert made.extra == (("logit_bias", Json(b'{"1": 2}')), ("verbosity", Json(b'"low"')))
    assert (made.model, made.dialect) == ("m", "openai_chat")


def test_what_is_null_is_not_there() -> None:
    made = conversation(
        stop=None, tools=None, metadata=None, response_format=None, tool_choice=None, web_search_options=None
    )
    assert made == conversation()
    assert conversation(max_tokens=9, stop="X").stop == ("X",)


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, Reasoning()),
        ({"reasoning_effort": "high"}, Reasoning(ADAPTIVE, Effort.HIGH)),
        ({"reasoning_effort": "none"}, Reasoning(OFF)),
        ({"reasoning_effort": "default"}, Reasoning(ADAPTIVE)),
        (
            {"reasoning": {"effort": "xhigh", "exclude": True}},
            Reasoning(ADAPTIVE, Effort.XHIGH, visible=False),
        ),
        ({"reasoning": {"max_tokens": 2000}}, Reasoning(ON, budget=2000)),
        ({"reasoning": {"enabled": True}}, Reasoning(ADAPTIVE)),
        ({"reasoning": {"enabled": False}}, Reasoning(OFF)),
        ({"reasoning": {"effort": "none", "exclude": False}}, Reasoning(OFF, visible=True)),
        ({"thinking": {"type": "enabled", "budget_tokens": 5}}, Reasoning(ON, budget=5)),
        ({"thinking": {"type": "disabled"}}, Reasoning(OFF)),
        ({"thinking": {"type": "auto"}}, Reasoning(ADAPTIVE)),
        ({"enable_thinking": True, "thinking_budget": 7}, Reasoning(ON, budget=7)),
        ({"enable_thinking": False}, Reasoning(OFF)),
    ],
)
def test_thinking_in_everybodys_words(fields: dict[str, Any], expected: Reasoning) -> None:
    assert conversation(**fields).reasoning == expected
    facts = parsed(**fields).facts
    assert (facts.thinking, facts.effort, facts.budget) == (expected.mode, expected.effort, expected.budget)


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, OutputFormat()),
        ({"type": "json_schema", "json_schema": {"name": "n"}}, OutputFormat(None, "n")),
        (
            {"type": "json_schema", "json_schema": {"name": "n", "schema": {}, "strict": True}},
            OutputFormat(Json(b"{}"), "n", strict=True),
        ),
    ],
)
def test_structured_output(given: dict[str, Any], expected: OutputFormat | None) -> None:
    assert conversation(response_format=given).output_format == expected


# --------------------------------------------------------------------------------------------------- tools


def test_tools() -> None:
    grammar = {"type": "grammar", "grammar": {"syntax": "lark", "definition": "start: A"}}
    made = conversation(
        tools=[
            {"type": "function", "function": {"name": "f", "description": "D", "strict": True}},
            {**FUNCTION, "cache_control": {"type": "ephemeral"}},
            {"type": "function", "function": {"name": "g", "parameters": {}}},
            {"type": "custom", "custom": {"name": "patch", "format": grammar}},
            {"type": "custom", "custom": {"name": "say"}},
            {"type": "web_search", "web_search": {"enable": True}},
            {"type": "retrieval", "name": "r"},
        ],
        functions=[{"name": "old"}],
        web_search_options={"user_location": {"type": "approximate", "approximate": {"city": "Rome"}}},
    ).tools
    assert made[:3] == (
        FunctionTool("f", "D", strict=True),
        FunctionTool("f", schema=Json(b'{"type": "object"}'), cache=CacheMark()),
        FunctionTool("g"),
    )
    assert made[3] == FreeformTool("patch", "", Json(json.dumps(grammar).encode()))
    assert made[4] == FreeformTool("say")
    assert isinstance(made[5], HostedTool)
    assert (made[5].kind, made[5].name, made[5].search) == ("web_search", "web_search", SearchOptions())
    assert isinstance(made[6], HostedTool)
    assert (made[6].kind, made[6].name, made[6].search) == ("retrieval", "r", None)
    assert made[7] == FunctionTool("old")
    place = Json(b'{"type":"approximate","city":"Rome"}')
    assert isinstance(made[8], HostedTool)
    assert (made[8].kind, made[8].search) == ("web_search", SearchOptions(location=place))


@pytest.mark.parametrize(
    "fields, expected",
    [
        ({}, None),
        ({"tool_choice": "auto"}, ToolChoice()),
        ({"tool_choice": "required"}, ToolChoice(ToolMode.REQUIRED)),
        ({"tool_choice": "none", "parallel_tool_calls": True}, ToolChoice(ToolMode.NONE, parallel=True)),
        ({"parallel_tool_calls": False}, ToolChoice(parallel=False)),
        (
            {"tool_choice": {"type": "function", "function": {"name": "f"}}},
            ToolChoice(ToolMode.NAMED, "f"),
        ),
        ({"tool_choice": {"type": "custom", "custom": {"name": "p"}}}, ToolChoice(ToolMode.NAMED, "p")),
        ({"functions": [], "function_call": "auto"}, ToolChoice(parallel=False)),
        (
            {"functions": [], "function_call": {"name": "f"}},
            ToolChoice(ToolMode.NAMED, "f", parallel=False),
        ),
    ],
)
def test_tool_choices(fields: dict[str, Any], expected: ToolChoice | None) -> None:
    assert conversation(**fields).tool_choice == expected


@pytest.mark.parametrize("mode, expected", [("auto", ToolMode.AUTO), ("required", ToolMode.REQUIRED)])
def test_allowed_tools_are_the_tools(mode: str, expected: ToolMode) -> None:
    other = {"type": "function", "function": {"name": "g"}}
    allowed = {"mode": mode, "tools": [{"type": "function", "function": {"name": "f"}}, 5, {"type": "x"}]}
    made = conversation(
        tools=[FUNCTION, other], tool_choice={"type": "allowed_tools", "allowed_tools": allowed}
    )
    assert (made.tools, made.tool_choice) == ((MINE,), ToolChoice(expected))
    assert conversation(tools=[FUNCTION], tool_choice={"type": "allowed_tools"}).tools == ()


# -------------------------------------------------------------------------------------------------- the call


def test_it_says_what_the_writers_need() -> None:
    assert parsed().echo == ChatEcho()
    tools = [{"type": "custom", "custom": {"name": "patch"}}, FUNCTION]
    asked = parsed(stream_options={"include_usage": True}, tools=tools, functions=[])
    assert asked.echo == ChatEcho(include_usage=True, freeform=frozenset({"patch"}), legacy=True)


def test_only_what_holds_a_seal_of_ours_is_foreign() -> None:
    plain = parsed(messages=[{"role": "user", "content": "what does ccr1.WyJd.x or ~ccr1 mean?"}])
    assert (plain.foreign, plain.plain) == (False, True)
    message = {"role": "tool", "tool_call_id": "t~ccr1.WyJd.x", "content": "R"}
    sealed = parsed(messages=[message])
    assert (sealed.foreign, sealed.plain) == (True, False)


def test_another_model_and_not_a_byte_else() -> None:
    body = b'{ "model" : "m", "messages":[{"role":"user","content":"\\u00e4"}] }'
    asked = OpenAIChatClient().read(call(body))
    assert asked.retarget("n") == body.replace(b'"m"', b'"n"')


def test_the_conversation_is_built_once_and_its_texts_are_counted() -> None:
    asked = parsed(tools=[FUNCTION])
    assert asked.conversation() is asked.conversation()
    assert texts_of(asked.conversation()) == [b"hi", b'f  {"type": "object"}']


@pytest.mark.parametrize(
    "fields, param",
    [
        ({"model": " "}, "model"),
        ({"model": 5}, "model"),
        ({"messages": {}}, "messages"),
        ({"messages": []}, "messages"),
        ({"n": 2}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"max_tokens": "x"}, "max_tokens"),
        ({"reasoning": 5}, "reasoning"),
        ({"tools": 5}, "tools"),
    ],
)
def test_a_request_that_cannot_be_read(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parsed(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages":[]}', b'{"model":"m"}', b"{"])
def test_a_body_that_is_none(body: bytes) -> None:
    with pytest.raises(InvalidRequestError):
        OpenAIChatClient().read(call(body))


@pytest.mark.parametrize(
    "fields, param",
    [
        ({"tools": [{}]}, "tools[0].type"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {}}]}, "tools[0].function.name"),
        (
            {"tools": [{"type": "function", "function": {"name": "f", "parameters": 5}}]},
            "tools[0].function.parameters",
        ),
        ({"tools": [{"type": "custom"}]}, "tools[0].custom"),
        ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].custom.name"),
        ({"functions": [5]}, "functions[0]"),
        ({"tool_choice": "maybe"}, "tool_choice"),
        ({"tool_choice": 5}, "tool_choice"),
        ({"tool_choice": {"type": "function"}}, "tool_choice"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {"response_format": {"type": "json_schema", "json_schema": {"schema": 5}}},
            "response_format.json_schema.schema",
        ),
        ({"web_search_options": 5}, "web_search_options"),
    ],
)
def test_a_request_that_means_nothing(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        conversation(**fields)
    assert caught.value.param == param


def test_memos_are_bound_around_the_pure_functions() -> None:
    seen: list[bytes] = []

    def turn(raw: bytes) -> Any:
        seen.append(raw)
        return OpenAIChatClient().read_turn(raw)

    def tools(raw: bytes) -> Any:
        seen.append(raw)
        return ()

    client = OpenAIChatClient(read_turn=turn, read_tools=tools)
    client.read(call(request(tools=[FUNCTION]))).conversation()
    assert seen == [b'{"role": "user", "content": "hi"}', json.dumps([FUNCTION]).encode()]
