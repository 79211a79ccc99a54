"""Web search that a provider runs: how it is asked, and how it is shown."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from ccr.adapters.dialects.openai_chat import OpenAIChatProvider
from ccr.domain.conversation import (
    Conversation,
    Effort,
    FunctionTool,
    HostedTool,
    Reasoning,
    ReasoningMode,
    Role,
    SearchOptions,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.models import ModelProfile, ReasoningStyle
from ccr.domain.reply import Reply
from ccr.domain.stream import StreamEvent, fold, unfold
from ccr.domain.usage import Usage
from ccr.domain.verbatim import Json
from tests.support.chat import DONE, chunk, decode, finish, text, thought

PLACE = Json(b'{"type":"approximate","city":"Rome","country":"IT","region":null}')
WISH = SearchOptions(3, ("a.org",), (), PLACE)
BARE = SearchOptions()


def hosted(search: SearchOptions | None, data: bytes = b"{}", dialect: str = "anthropic") -> HostedTool:
    return HostedTool("web_search_20250305", "web_search", dialect, Json(data), search)


def asked(
    tool: HostedTool,
    web_search: str = "",
    *more: FunctionTool,
    style: ReasoningStyle = ReasoningStyle.NONE,
    **fields: Any,
) -> tuple[dict[str, Any], set[str]]:
    turns = (Turn(Role.USER, (Text("hi"),)),)
    conversation = Conversation(model="m", turns=turns, tools=(*more, tool), **fields)
    encoded = OpenAIChatProvider().write_request(
        conversation, ModelProfile(web_search=web_search, reasoning=style), is_anthropic=False
    )
    body = msgspec.json.decode(encoded.payload.encode())
    del body["model"], body["messages"]
    return body, set(map(str, encoded.losses))


@pytest.mark.parametrize(
    "style, options, body",
    [
        ("openrouter", BARE, {"plugins": [{"id": "web"}]}),
        (
            "openrouter",
            WISH,
            {
                "plugins": [
                    {
                        "id": "web",
                        "max_uses": 3,
                        "include_domains": ["a.org"],
                        "user_location": json.loads(PLACE.data),
                    }
                ]
            },
        ),
        (
            "openrouter",
            SearchOptions(blocked_domains=("b.org",)),
            {"plugins": [{"id": "web", "exclude_domains": ["b.org"]}]},
        ),
        (
            "zhipu",
            BARE,
            {"tools": [{"type": "web_search", "web_search": {"enable": True, "search_result": True}}]},
        ),
        ("kimi", BARE, {"tools": [{"type": "builtin_function", "function": {"name": "$web_search"}}]}),
        ("openai_chat", BARE, {"web_search_options": {}}),
        (
            "openai_chat",
            WISH,
            {
                "web_search_options": {
                    "user_location": {
                        "type": "approximate",
                        "approximate": {"city": "Rome", "country": "IT"},
                    }
                }
            },
        ),
        (
            "xai",
            BARE,
            {"search_parameters": {"mode": "auto", "return_citations": True, "sources": [{"type": "web"}]}},
        ),
        (
            "xai",
            WISH,
            {
                "search_parameters": {
                    "mode": "auto",
                    "return_citations": True,
                    "sources": [{"type": "web", "allowed_websites": ["a.org"], "country": "IT"}],
                }
            },
        ),
        (
            "xai",
            SearchOptions(blocked_domains=("b",)),
            {
                "search_parameters": {
                    "mode": "auto",
                    "return_citations": True,
                    "sources": [{"type": "web", "excluded_websites": ["b"]}],
                }
            },
        ),
        ("qwen", BARE, {"enable_search": True}),
    ],
)
def test_how_it_is_asked(style: str, options: SearchOptions, body: dict[str, Any]) -> None:
    assert asked(hosted(options), style)[0] == body


@pytest.mark.parametrize("style", ["zhipu", "kimi", "openai_chat", "qwen"])
def test_domains_that_cannot_be_asked_for_are_a_loss(style: str) -> None:
    always = {"web_search=without results"} if style == "kimi" else set()
    assert asked(hosted(WISH), style)[1] == {"web_search=any domain", *always}
    assert asked(hosted(BARE), style)[1] == always


@pytest.mark.parametrize(
    "reasoning, told",
    [
        (Reasoning(), False),
        (Reasoning(ReasoningMode.OFF), False),
        (Reasoning(effort=Effort.HIGH), True),
        (Reasoning(ReasoningMode.ON, budget=2000), True),
        (Reasoning(ReasoningMode.ADAPTIVE), True),
    ],
)
def test_kimi_does_not_think_while_it_searches(reasoning: Reasoning, told: bool) -> None:
    style = ReasoningStyle.THINKING_TYPE
    body, losses = asked(hosted(BARE), "kimi", style=style, reasoning=reasoning)
    assert body["thinking"] == {"type": "disabled"}
    assert ("reasoning=off while it searches" in losses) is told


def test_kimi_thinks_when_there_is_no_search_and_others_think_beside_it() -> None:
    on = Reasoning(ReasoningMode.ON)
    style = ReasoningStyle.THINKING_TYPE
    assert asked(hosted(None), "kimi", style=style, reasoning=on)[0]["thinking"] == {"type": "enabled"}
    assert asked(hosted(BARE), "zhipu", style=style, reasoning=on)[0]["thinking"] == {"type": "enabled"}
    assert "thinking" not in asked(hosted(BARE), "kimi", reasoning=on)[0]


def test_who_has_none_is_not_asked() -> None:
    assert asked(hosted(BARE)) == ({}, {"hosted_tool=dropped"})
    assert asked(hosted(BARE), "gemini") == ({}, {"hosted_tool=dropped"})
    assert asked(hosted(None), "qwen") == ({}, {"hosted_tool=dropped"})


def test_its_own_dialects_tools_go_out_as_they_came() -> None:
    entry = b'{"type":"retrieval","retrieval":{"id":"k"}}'
    assert asked(hosted(None, entry, "openai_chat")) == ({"tools": [json.loads(entry)]}, set())
    assert asked(hosted(BARE, b'{"type":"web_search"}', "openai_chat"))[0]["tools"]
    # `web_search_options` of a caller, for a model that is not known to search
    assert asked(hosted(BARE, b"{}", "openai_chat")) == ({}, {"hosted_tool=dropped"})


def test_a_choice_of_the_search_is_left_to_the_provider() -> None:
    choice = ToolChoice(ToolMode.NAMED, "web_search")
    assert asked(hosted(BARE), "qwen", tool_choice=choice) == ({"enable_search": True}, set())
    body, losses = asked(hosted(BARE), "qwen", FunctionTool("f"), tool_choice=choice)
    assert (body["tool_choice"], losses) == ("auto", set())


# ------------------------------------------------------------------------------------------------- the reply


def staged(*pieces: bytes, search: bool = True) -> Reply:
    tools = (hosted(BARE),) if search else ()
    conversation = Conversation("m", (), tools=tools)
    stage = OpenAIChatProvider().reply_stage(conversation, ModelProfile(web_search="openrouter"))
    events = decode(pieces)
    passed: list[StreamEvent] = []
    for event in events:
        passed.extend([event] if stage is None else stage.feed([event]))
    return fold(passed)


def annotated(url: str, **cited: Any) -> bytes:
    citation = {"type": "url_citation", "url_citation": {"url": url, **cited}}
    return chunk({"annotations": [citation]})


def results(reply: Reply) -> Any:
    found = next(block for block in reply.blocks if isinstance(block, ServerToolResult))
    return found.kind, json.loads(found.content.data)


def test_what_is_cited_is_shown_as_a_search() -> None:
    reply = staged(
        text("A"),
        annotated("http://a", title="T", content="gist"),
        annotated("http://a"),
        annotated("http://b"),
        finish(),
        chunk(None, usage={"prompt_tokens": 5}),
        DONE,
    )
    assert [type(block) for block in reply.blocks] == [Text, ServerToolCall, ServerToolResult]
    first = {
        "type": "web_search_result",
        "url": "http://a",
        "title": "T",
        "page_age": None,
        "encrypted_content": "gist",
    }
    second = {**first, "url": "http://b", "title": "http://b", "encrypted_content": ""}
    assert results(reply) == ("web_search_tool_result", [first, second])
    call = reply.blocks[1]
    assert isinstance(call, ServerToolCall)
    assert (call.name, call.input) == ("web_search", Json(b"{}"))
    assert reply.usage == Usage(5, searches=1)


def test_without_citations_nothing_was_searched() -> None:
    assert staged(text("A"), finish(), DONE).usage.searches is None
    assert staged(text("A"), annotated(""), finish(), DONE).usage.searches is None


def test_who_asked_for_no_search_is_shown_none() -> None:
    reply = staged(text("A"), annotated("http://a"), finish(), DONE, search=False)
    assert [type(block) for block in reply.blocks] == [Text]
    assert reply.usage.searches is None


LISTED = [
    {"title": "T", "link": "http://a", "content": "gist", "publish_date": "2026-01-02", "refer": "ref_1"},
    {"url": "http://b"},
    {"title": "no address"},
    "odd",
]


@pytest.mark.parametrize("search", [True, False])
def test_a_list_of_results_is_shown_before_the_text_that_follows(search: bool) -> None:
    reply = staged(
        thought("hm"),
        chunk({}, web_search=LISTED),
        text("A"),
        chunk({"content": "B"}, web_search=LISTED),
        annotated("http://c"),
        finish(),
        DONE,
        search=search,
    )
    kinds = [type(block).__name__ for block in reply.blocks]
    assert kinds == ["Thinking", "ServerToolCall", "ServerToolResult", "Text"]
    kind, listed = results(reply)
    assert kind == "web_search_tool_result"
    assert [(one["url"], one["title"], one["page_age"]) for one in listed] == [
        ("http://a", "T", "2026-01-02"),
        ("http://b", "http://b", None),
    ]
    assert reply.usage.searches == 1


def test_a_whole_reply_with_a_list_of_results() -> None:
    body = {
        "choices": [{"message": {"content": "A"}, "finish_reason": "stop"}],
        "web_search": LISTED,
        "usage": {"prompt_tokens": 1},
    }
    reply = OpenAIChatProvider().read_reply(json.dumps(body).encode())
    assert [type(block) for block in reply.blocks] == [ServerToolCall, ServerToolResult, Text]
    assert reply.usage == Usage(1, searches=1)
    assert fold(unfold(reply)) == reply


def test_addresses_beside_the_choices_are_citations_once_each() -> None:
    named = ["http://a", "", 5]
    reply = staged(
        text("A"),
        chunk({"content": "B"}, citations=named),
        chunk({}, "stop", citations=[*named, "http://b"]),
        chunk(None, citations="odd"),
        DONE,
    )
    (said,) = (block for block in reply.blocks if isinstance(block, Text))
    assert [citation.url for citation in said.citations] == ["http://a", "http://b"]
    assert [one["url"] for one in results(reply)[1]] == ["http://a", "http://b"]


# ------------------------------------------------------------------------------------------------ in history


def test_searches_of_the_history_become_text() -> None:
    content = Json(b'[{"type":"web_search_result","url":"http://a","title":"T","encrypted_content":"gist"}]')
    blocks = (
        ServerToolCall("s", "web_search", Json(b'{"query":"q"}')),
        ServerToolResult("s", "web_search_tool_result", content),
        Text("A"),
    )
    conversation = Conversation("m", (Turn(Role.USER, (Text("hi"),)), Turn(Role.ASSISTANT, blocks)))
    encoded = OpenAIChatProvider().write_request(conversation, ModelProfile(), is_anthropic=False)
    parsed: Any = encoded.payload.parsed("messages")
    assert parsed[1]["content"] == '[web search: "q"]\n1. T - http://a\ngist\nA'
    assert [str(loss) for loss in encoded.losses] == ["web_search_tool_result=as text"]
