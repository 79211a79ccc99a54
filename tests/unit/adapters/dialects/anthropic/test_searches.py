"""Web search of whoever ran it: to the client as Anthropic's own, back to providers as what they may read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.anthropic import AnthropicClient, AnthropicProvider
from ccr.adapters.dialects.anthropic.read_request import read_tools, read_turn
from ccr.adapters.dialects.anthropic.write_blocks import server_id, write_block
from ccr.domain.conversation import (
    ContentBlock,
    Conversation,
    FunctionTool,
    HostedTool,
    Role,
    SearchOptions,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.errors import InvalidRequestError
from ccr.domain.facts import Operation, RequestFacts
from ccr.domain.models import ModelProfile
from ccr.domain.reply import Reply, StopReason
from ccr.domain.stream import unfold
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json

KIND = "web_search_tool_result"
FACTS = RequestFacts(Operation.GENERATE, "anthropic", "m")
HIT = {
    "type": "web_search_result",
    "url": "https://a.test/x",
    "title": "A",
    "page_age": "2026-01-02",
    "encrypted_content": "what A says",
}
ERROR = Json(b'{"type":"web_search_tool_result_error","error_code":"unavailable"}')


def results(*hits: object, dialect: str = "", call_id: str = "ws_1") -> ServerToolResult:
    return ServerToolResult(call_id, KIND, Json(json.dumps(hits or [HIT]).encode()), dialect)


def asked(call_id: str = "ws_1") -> ServerToolCall:
    return ServerToolCall(call_id, "web_search", Json(b'{"query":"why"}'))


def reply(*blocks: ContentBlock) -> Reply:
    return Reply("r", "m", blocks, StopReason.END_TURN, usage=Usage(1, output=2, searches=1))


def shown(*blocks: ContentBlock) -> list[dict[str, Any]]:
    """Return the content that a client gets whole; the streamed one must be the same."""
    whole = json.loads(AnthropicClient().write_reply(reply(*blocks), FACTS, None))
    assert whole["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
    streamed = AnthropicClient().stream_encoder(FACTS, None).feed(unfold(reply(*blocks)))
    events = [json.loads(line[6:]) for line in streamed.split(b"\n") if line.startswith(b"data: ")]
    starts = [event for event in events if event["type"] == "content_block_start"]
    assert [event["index"] for event in starts] == list(range(len(starts)))
    for one, start in zip(whole["content"], starts, strict=True):
        block = start["content_block"]
        assert {**one, "input": 0, "text": 0} == {**block, "input": 0, "text": 0}
    assert events[-2]["usage"]["server_tool_use"] == {"web_search_requests": 1, "web_fetch_requests": 0}
    content: list[dict[str, Any]] = whole["content"]
    return content


def to_anthropic(turn: Turn, *, is_anthropic: bool = True) -> tuple[dict[str, Any], list[str]]:
    said = Conversation("m", (Turn(Role.USER, (Text("q"),)), turn, Turn(Role.USER, (Text("go on"),))))
    encoded = AnthropicProvider().write_request(said, ModelProfile(), is_anthropic=is_anthropic)
    body = json.loads(encoded.payload.encode())
    return body["messages"][1], [str(loss) for loss in encoded.losses]


def history(content: object) -> bytes:
    return json.dumps({"role": "assistant", "content": content}).encode()


# --------------------------------------------------------------------------------------------- the request


def test_what_is_wanted_of_a_search_is_read() -> None:
    raw = (
        b'{"type":"web_search_20250305","name":"web_search","max_uses":8,"allowed_domains":["a.test"],'
        b'"blocked_domains":null,"user_location":{"type":"approximate","city":"Riga"}}'
    )
    (tool,) = read_tools(b"[" + raw + b"]")

    assert isinstance(tool, HostedTool)
    assert tool.search == SearchOptions(8, ("a.test",), (), Json(b'{"type":"approximate","city":"Riga"}'))
    assert tool.data == Json(raw)


def test_another_hosted_tool_is_no_search() -> None:
    (tool,) = read_tools(b'[{"type":"code_execution_20250825","name":"code_execution"}]')

    assert isinstance(tool, HostedTool)
    assert tool.search is None


def test_a_search_of_the_wrong_shape_is_told() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        read_tools(b'[{"type":"web_search_20250305","name":"web_search","allowed_domains":"a.test"}]')

    assert caught.value.param == "[0].allowed_domains"


FOREIGN = HostedTool(
    "web_search", "web_search", "openai_responses", Json(b"{}"), SearchOptions(3, ("a.test",))
)
OWN = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b'{"type":"x"}'), SearchOptions())


def tools_of(
    *tools: HostedTool | FunctionTool,
    is_anthropic: bool = False,
    web_search: str = "",
    choice: str = "web_search",
) -> tuple[dict[str, Any], list[str]]:
    said = Conversation(
        "m",
        (Turn(Role.USER, (Text("q"),)),),
        tools=tools,
        tool_choice=ToolChoice(ToolMode.NAMED, choice),
    )
    profile = ModelProfile(web_search=web_search)
    encoded = AnthropicProvider().write_request(said, profile, is_anthropic=is_anthropic)
    return json.loads(encoded.payload.encode()), [str(loss) for loss in encoded.losses]


def test_a_provider_with_anthropics_search_gets_the_tool_as_it_came() -> None:
    body, losses = tools_of(OWN, web_search="anthropic")

    assert body["tools"] == [{"type": "x"}]
    assert body["tool_choice"] == {"type": "tool", "name": "web_search"}
    assert losses == []


def test_another_provider_does_not_get_it_nor_a_choice_of_it() -> None:
    body, losses = tools_of(OWN, FunctionTool("Read"))

    assert [tool["name"] for tool in body["tools"]] == ["Read"]
    assert body["tool_choice"] == {"type": "auto"}
    assert losses == ["web_search_20250305=dropped"]


def test_a_choice_of_a_tool_that_is_there_stays() -> None:
    body, _ = tools_of(FunctionTool("Read"), choice="Read")

    assert body["tool_choice"] == {"type": "tool", "name": "Read"}


@pytest.mark.parametrize("is_anthropic", [True, False])
def test_a_search_asked_for_in_another_dialect_is_anthropics(is_anthropic: bool) -> None:
    body, losses = tools_of(FOREIGN, is_anthropic=is_anthropic, web_search="anthropic")

    assert body["tools"] == [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 3, "allowed_domains": ["a.test"]}
    ]
    assert losses == []


def test_blocked_domains_and_a_place_are_asked_for() -> None:
    options = SearchOptions(None, (), ("b.test",), Json(b'{"type":"approximate"}'))
    body, _ = tools_of(HostedTool("web_search", "", "gemini", Json(b"{}"), options), is_anthropic=True)

    assert body["tools"] == [
        {
            "type": "web_search_20250305",
            "name": "web_search",
            "blocked_domains": ["b.test"],
            "user_location": {"type": "approximate"},
        }
    ]


def test_what_only_another_provider_runs_is_left_out_and_told() -> None:
    tool = HostedTool("file_search", "file_search", "openai_responses", Json(b"{}"))
    body, losses = tools_of(tool, is_anthropic=True)

    assert "tools" not in body
    assert losses == ["file_search=dropped"]


# ----------------------------------------------------------------------------------------------- the reply


@pytest.mark.parametrize("dialect", ["", "gemini", "anthropic@kimi"])
def test_anybodys_search_is_shown_as_a_search(dialect: str) -> None:
    call, result = shown(asked(), results(dialect=dialect))

    assert (call["type"], call["name"], call["input"]) == ("server_tool_use", "web_search", {"query": "why"})
    assert call["id"].startswith("srvtoolu_")
    assert (result["type"], result["tool_use_id"]) == (KIND, call["id"])
    (hit,) = result["content"]
    assert hit["encrypted_content"].startswith("ccr1.")
    assert {**hit, "encrypted_content": ""} == {
        "type": "web_search_result",
        "url": "https://a.test/x",
        "title": "A",
        "page_age": "2026-01-02",
        "encrypted_content": "",
    }


def test_a_result_with_less_is_still_well_formed() -> None:
    _, result = shown(asked(), results({"url": "https://b.test"}, 7))

    (hit,) = result["content"]
    assert (hit["url"], hit["title"], hit["page_age"]) == ("https://b.test", "", None)
    assert hit["encrypted_content"].startswith("ccr1.")


def test_a_search_that_failed_is_shown_as_that() -> None:
    _, result = shown(asked(), ServerToolResult("ws_1", KIND, ERROR))

    assert result["content"] == {"type": "web_search_tool_result_error", "error_code": "unavailable"}


def test_anthropics_own_results_are_not_touched() -> None:
    call, result = shown(asked("srvtoolu_9"), results(HIT, dialect="anthropic", call_id="srvtoolu_9"))

    assert call["id"] == "srvtoolu_9"
    assert result["content"] == [HIT]


def test_what_another_provider_ran_that_is_no_search_is_left_out() -> None:
    assert write_block(ServerToolResult("i", "code_execution_tool_result", Json(b"{}"), "gemini")) is None


def test_an_id_is_made_one_of_anthropics_and_always_the_same() -> None:
    assert server_id("call-1") == server_id("call-1") != server_id("call-2")
    assert server_id(server_id("call-1")) == server_id("call-1")


# -------------------------------------------------------------------------------------------- and back again


@pytest.mark.parametrize("dialect", ["", "gemini", "anthropic@kimi"])
def test_what_comes_back_is_known_for_whose_it_is(dialect: str) -> None:
    raw = history(shown(asked(), results(dialect=dialect)))
    turn = read_turn(raw)

    (call, result) = turn.blocks
    assert isinstance(call, ServerToolCall)
    assert isinstance(result, ServerToolResult)
    assert result.dialect == dialect
    assert result.call_id == call.id
    assert json.loads(result.content.data) == [HIT]


def test_anthropics_own_come_back_as_its_own() -> None:
    content = shown(asked("srvtoolu_9"), results(HIT, dialect="anthropic", call_id="srvtoolu_9"))
    turn = read_turn(history(content))
    message, losses = to_anthropic(turn)

    assert message["content"] == content
    assert losses == []


def test_a_title_that_looks_like_our_mark_changes_nothing() -> None:
    content = [{**HIT, "title": "ccr1.x", "encrypted_content": "Eq"}, {"url": "u"}]
    turn = read_turn(history([{"type": KIND, "tool_use_id": "srvtoolu_9", "content": content}]))
    message, losses = to_anthropic(turn)

    assert message["content"][0]["content"] == content
    assert losses == []


def test_anthropic_is_never_given_what_it_did_not_encrypt() -> None:
    said = shown(Text("I look."), asked(), results(), Text("So it is."))
    message, losses = to_anthropic(read_turn(history(said)))

    assert "ccr1." not in json.dumps(message)
    assert [block["type"] for block in message["content"]] == ["text", "text", "text"]
    told = message["content"][1]["text"]
    assert told == '[web search: "why"]\n1. A - https://a.test/x (2026-01-02)\nwhat A says'
    assert losses == ["web_search_tool_result=as text"]


def test_what_another_provider_sealed_is_not_told_as_text() -> None:
    message, _ = to_anthropic(read_turn(history(shown(asked(), results(dialect="gemini")))))

    assert "what A says" not in json.dumps(message)
    assert "https://a.test/x" in json.dumps(message)


@pytest.mark.parametrize("dialect", ["", "anthropic"])
def test_who_merely_speaks_like_anthropic_gets_text(dialect: str) -> None:
    turn = Turn(Role.ASSISTANT, (asked(), results(dialect=dialect)))
    message, losses = to_anthropic(turn, is_anthropic=False)

    assert [block["type"] for block in message["content"]] == ["text"]
    assert losses == ["web_search_tool_result=as text"]


def test_a_search_without_results_is_told_as_that() -> None:
    turn = Turn(Role.ASSISTANT, (ServerToolResult("ws_1", KIND, ERROR), ServerToolCall("other", "x")))
    message, _ = to_anthropic(turn, is_anthropic=False)

    assert message["content"] == [{"type": "text", "text": "[web search]\n(no results)"}]


def test_a_search_without_wishes_is_the_bare_tool() -> None:
    body, _ = tools_of(
        HostedTool("web_search", "", "gemini", Json(b"{}"), SearchOptions()), is_anthropic=True
    )

    assert body["tools"] == [{"type": "web_search_20250305", "name": "web_search"}]


@pytest.mark.parametrize(
    "result", [results(), ServerToolResult("ws_1", KIND, ERROR)], ids=["found", "failed"]
)
def test_the_official_sdk_takes_it_for_anthropics(result: ServerToolResult) -> None:
    from anthropic.types import Message, ServerToolUseBlock, WebSearchToolResultBlock

    written = AnthropicClient().write_reply(reply(asked(), result, Text("So.")), FACTS, None)
    message = Message.model_validate_json(written)

    assert [type(block) for block in message.content[:2]] == [ServerToolUseBlock, WebSearchToolResultBlock]
    assert message.usage.server_tool_use is not None
    assert message.usage.server_tool_use.web_search_requests == 1
