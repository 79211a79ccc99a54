from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic import AnthropicClient
from ccr.adapters.dialects.anthropic.read_request import read_tools, read_turn
from ccr.domain.conversation import (
    CacheMark,
    Effort,
    FunctionTool,
    HostedTool,
    OutputFormat,
    Reasoning,
    ReasoningMode,
    Role,
    Sampling,
    SearchOptions,
    Text,
    ToolChoice,
    ToolMode,
)
from ccr.domain.conversation.texts import texts_of
from ccr.domain.errors import InvalidRequestError
from ccr.domain.verbatim import Json, Verbatim
from tests.support.anthropic_calls import call, fixtures, request

READ = AnthropicClient().read


@pytest.mark.parametrize("name, headers, body", [pytest.param(*case, id=case[0]) for case in fixtures()])
def test_requests_of_real_clients_parse(name: str, headers: dict[str, str], body: dict[str, Any]) -> None:
    raw = json.dumps(body, ensure_ascii=False).encode()
    parsed = READ(call(raw, headers))
    conversation = parsed.conversation()

    assert conversation is parsed.conversation()
    assert parsed.facts.model == body["model"]
    assert parsed.facts.tools == len(body.get("tools", ()))
    assert parsed.facts.session.session == "00000000-0000-4000-8000-000000000001"
    assert parsed.facts.client.startswith("claude-cli/")
    assert parsed.facts.is_subagent == ("x-claude-code-agent-id" in headers)
    assert parsed.facts.plan_mode == name.startswith("plan_mode")
    assert len(conversation.turns) == len(body["messages"])
    assert len(conversation.tools) == len(body.get("tools", ()))
    assert sum(map(len, texts_of(parsed.conversation()))) <= parsed.facts.text_size
    assert json.loads(parsed.retarget("other")) == {**body, "model": "other"}


def test_everything_a_caller_can_ask() -> None:
    parsed = READ(
        request(
            system=[{"type": "text", "text": "s", "cache_control": {"type": "ephemeral", "ttl": "1h"}}],
            tools=[{"name": "t", "input_schema": {"type": "object"}}],
            tool_choice={"type": "tool", "name": "t", "disable_parallel_tool_use": True},
            temperature=1,
            top_p=0.5,
            top_k=3,
            stop_sequences=["x"],
            service_tier="auto",
            metadata={"user_id": "u"},
            thinking={"type": "enabled", "budget_tokens": 2000, "display": "omitted"},
            output_config={"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
            stream=True,
            context_management={"edits": []},
            thread={"type": "create"},
        )
    )
    conversation = parsed.conversation()

    assert conversation.system == (Text("s", CacheMark("1h")),)
    assert conversation.tool_choice == ToolChoice(ToolMode.NAMED, "t", parallel=False)
    assert conversation.sampling == Sampling(1.0, 0.5, 3)
    assert conversation.stop == ("x",)
    assert conversation.service_tier == "auto"
    assert conversation.user == "u"
    assert conversation.reasoning == Reasoning(ReasoningMode.ON, Effort.HIGH, 2000, visible=False)
    assert conversation.output_format == OutputFormat(Json(b'{"type": "object"}'))
    assert conversation.stream
    assert conversation.extra == (("context_management", Json(b'{"edits": []}')),)


def test_nothing_asked_is_nothing_said() -> None:
    conversation = READ(
        request(system=None, tools=None, tool_choice=None, thinking=None, output_config={}, metadata=None)
    ).conversation()

    assert conversation.system == ()
    assert conversation.tools == ()
    assert conversation.tool_choice is None
    assert conversation.reasoning == Reasoning()
    assert READ(request(system="")).conversation().system == ()
    assert READ(request(system="s")).conversation().system == (Text("s"),)


def test_thinking_and_output_are_carried_whole_where_they_say_more_than_we_have_words_for() -> None:
    conversation = READ(
        request(thinking={"type": "adaptive", "display": "updates"}, output_config={"effort": "ultra"})
    ).conversation()

    assert [name for name, _ in conversation.extra] == ["thinking", "output_config"]
    assert conversation.reasoning == Reasoning(ReasoningMode.ADAPTIVE, visible=True)


@pytest.mark.parametrize(
    "body, param, words",
    [
        (b"", None, "not valid JSON"),
        (b'{"model":"m","messages":[]', None, "not valid JSON"),
        (b'{"model":"m" "messages":[]}', None, "byte 13"),
        (b"[" * 100_000, None, "JSON object"),
        (b'{"a":' + b"[" * 100_000, None, "nested too deep"),
        (b"[]", None, "must be a JSON object"),
        (b'{"model":"\xff","messages":[]}', None, "not valid UTF-8 (byte 10)"),
        (b'{"model":"' + b"x" * 5000 + b'\xe2\x82","messages":[]}', None, "not valid UTF-8 (byte 5010)"),
        (b'{"model":"' + "\N{EURO SIGN}".encode() * 5000 + b"\xe2", None, "not valid UTF-8 (byte 15010)"),
        (rb'{"model":"m","messages":[{"role":"user","content":"\ud800 x"}]}', None, "not valid JSON"),
        (b'{"messages":[]}', "model", "is required"),
        (b'{"model":7,"messages":[]}', "model", "Expected str, got int"),
        (b'{"model":" ","messages":[]}', "model", "must not be empty"),
        (b'{"model":"m"}', "messages", "is required"),
        (b'{"model":"m","messages":{}}', "messages", "must be a list"),
        (b'{"model":"m","messages":[],"stream":1}', "stream", "Expected bool | null, got int"),
        (b'{"model":"m","messages":[],"max_tokens":"x"}', "max_tokens", "Expected int | null, got str"),
        (b'{"model":"m","messages":[],"max_tokens":-1}', "max_tokens", "Expected int >= 0"),
        (b'{"model":"m","messages":[],"max_tokens":' + b"9" * 99 + b"}", "max_tokens", "Expected int <="),
        (b'{"model":"m","messages":[]}', "messages", "must not be empty"),
        (b'{"model":"m","messages":[],"tools":[1]}', "tools[0]", "Expected object, got int"),
        (b'{"model":"m","messages":[],"thread":{"type":"continue"}}', "thread", "capability_rejected"),
    ],
)
def test_a_bad_body_is_refused_at_once(body: bytes, param: str | None, words: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        READ(call(body))

    assert caught.value.param == param
    assert words in caught.value.message


@pytest.mark.parametrize(
    "fields, param, words",
    [
        ({"messages": [{"role": "robot", "content": ""}]}, "messages[0].role", "must be user, assistant"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "must be a string or a list"),
        ({"messages": ["x"]}, "messages[0]", "Expected object, got str"),
        (
            {"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]},
            "messages[0].content[0].text",
            "Expected str, got int",
        ),
        ({"tools": [{"name": "", "input_schema": {}}]}, "tools[0].name", "needs a name"),
        ({"tools": [{"name": "t"}]}, "tools[0].input_schema", "JSON schema object"),
        ({"tool_choice": {"type": "maybe"}}, "tool_choice.type", "must be auto"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name", "is required"),
        (
            {"system": [{"type": "image", "source": {"type": "url", "url": "u"}}]},
            "system",
            "text blocks only",
        ),
        ({"temperature": "hot"}, "temperature", "Expected float | null, got str"),
    ],
)
def test_a_bad_field_is_refused_when_its_meaning_is_asked(
    fields: dict[str, object], param: str, words: str
) -> None:
    parsed = READ(request(**fields))

    with pytest.raises(InvalidRequestError) as caught:
        parsed.conversation()
    assert caught.value.param == param
    assert words in caught.value.message


def test_a_turn_keeps_its_own_bytes() -> None:
    raw = b'{"role":"developer", "content": "x"}'
    turn = read_turn(raw)

    assert (turn.role, turn.blocks, turn.source) == (Role.SYSTEM, (Text("x"),), Verbatim("anthropic", raw))


def test_tools() -> None:
    hosted = b'{"type":"web_search_20250305","name":"web_search","max_uses":8}'
    own = (
        b'{"name":"t","type":"custom","description":"d","input_schema":{},"strict":true,"defer_loading":true,'
        b'"eager_input_streaming":false,"cache_control":{"type":"ephemeral"}}'
    )

    assert read_tools(b"[" + hosted + b"," + own + b"]") == (
        HostedTool("web_search_20250305", "web_search", "anthropic", Json(hosted), SearchOptions(8)),
        FunctionTool("t", "d", Json(b"{}"), strict=True, deferred=True, eager=False, cache=CacheMark()),
    )
