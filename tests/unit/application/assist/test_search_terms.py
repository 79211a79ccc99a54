"""What a request wants of web search, and the same request with a function in its place."""

from __future__ import annotations

import pytest

from ccr.adapters.wire.json import CODEC
from ccr.application.assist.search_terms import SearchTerms, fits, hosted_search, told
from ccr.application.assist.searcher import Searcher
from ccr.application.ports.search import SearchHit
from ccr.domain.conversation import (
    Conversation,
    FunctionTool,
    HostedTool,
    Image,
    Inline,
    Role,
    SearchOptions,
    Text,
    Tool,
    ToolCall,
    ToolChoice,
    ToolMode,
    Turn,
)
from ccr.domain.verbatim import Json

HOSTED = HostedTool("web_search_20250305", "web_search", "anthropic", Json(b"{}"), SearchOptions(3))
BARE = HostedTool("web_search", "", "gemini", Json(b"{}"))
OTHER = HostedTool("code_execution_20250825", "code_execution", "anthropic", Json(b"{}"))
READ = FunctionTool("Read")
NAMED = ToolChoice(ToolMode.NAMED, "web_search", parallel=False)
ASKED = "Perform a web search for the query: cats  and dogs"


def user(*texts: str) -> Turn:
    return Turn(Role.USER, tuple(map(Text, texts)))


def terms(*tools: Tool, choice: ToolChoice | None = None, said: Turn | None = None) -> SearchTerms:
    conversation = Conversation("m", (said or user("hi"),), tools=tools, tool_choice=choice)
    hosted = hosted_search(conversation)
    assert hosted is not None
    return SearchTerms.of(conversation, hosted)


def test_a_request_without_web_search_has_none() -> None:
    assert hosted_search(Conversation("m", (), tools=(READ, OTHER))) is None


def test_the_function_stands_for_every_search_and_nothing_else() -> None:
    found = terms(READ, HOSTED, OTHER, BARE)

    assert found.options == SearchOptions(3)
    assert [getattr(tool, "name", "") for tool in found.first.tools] == [
        "Read",
        "code_execution",
        "web_search",
    ]
    assert not found.insists


def test_a_search_without_options_has_none() -> None:
    assert terms(BARE).options == SearchOptions()


@pytest.mark.parametrize(
    "tools, choice, said, insists",
    [
        ((HOSTED,), None, user(ASKED), True),
        ((HOSTED, READ), None, user(ASKED), False),
        ((HOSTED,), None, user("tell me of cats"), False),
        ((HOSTED,), NAMED, user("cats"), True),
        ((HOSTED, READ), NAMED, user("cats"), True),
        ((HOSTED,), ToolChoice(ToolMode.REQUIRED), user("cats"), True),
        ((HOSTED, READ), ToolChoice(ToolMode.REQUIRED), user("cats"), False),
        ((HOSTED,), NAMED, user(), False),
        ((HOSTED, READ), ToolChoice(ToolMode.NAMED, "Read"), user("cats"), False),
    ],
)
def test_whether_there_is_to_be_a_search(
    tools: tuple[Tool, ...], choice: ToolChoice | None, said: Turn, insists: bool
) -> None:
    assert terms(*tools, choice=choice, said=said).insists is insists


@pytest.mark.parametrize(
    "turns, query",
    [
        ((user(ASKED),), "cats and dogs"),
        ((user("a", " b ", "<system-reminder>x</system-reminder>"),), "b"),
        ((user("a"), Turn(Role.ASSISTANT, (Text("c"),))), "a"),
        ((Turn(Role.USER, (Image(Inline("image/png", "")),)),), ""),
        ((Turn(Role.ASSISTANT, (Text("c"),)),), ""),
    ],
)
def test_what_is_looked_for(turns: tuple[Turn, ...], query: str) -> None:
    conversation = Conversation("m", turns, tools=(HOSTED,))

    assert SearchTerms.of(conversation, HOSTED).query == query


def test_nobody_is_forced_to_search_twice() -> None:
    found = terms(HOSTED, choice=NAMED)

    assert found.first.tool_choice == NAMED
    assert found.later(found.first).tool_choice == ToolChoice(ToolMode.AUTO, None, parallel=False)


@pytest.mark.parametrize(
    "choice",
    [None, ToolChoice(ToolMode.NONE), ToolChoice(ToolMode.NAMED, "Read")],
    ids=["none", "off", "other"],
)
def test_any_other_choice_stays(choice: ToolChoice | None) -> None:
    found = terms(HOSTED, READ, choice=choice)

    assert found.later(found.first) is found.first


def test_the_last_round_has_no_search() -> None:
    alone, beside = terms(HOSTED, choice=NAMED), terms(HOSTED, READ, choice=ToolChoice(ToolMode.NONE))

    assert (alone.last(alone.first).tools, alone.last(alone.first).tool_choice) == ((), None)
    assert beside.last(beside.first).tools == (READ,)
    assert beside.last(beside.first).tool_choice == ToolChoice(ToolMode.NONE)


@pytest.mark.parametrize(
    "url, allowed, blocked, stays",
    [
        ("https://a.test/x", (), (), True),
        ("https://a.test/x", ("a.test",), (), True),
        ("https://www.a.test/x", ("A.test",), (), True),
        ("https://xa.test/x", ("a.test",), (), False),
        ("https://a.test/blog/1", ("https://a.test/blog",), (), True),
        ("https://a.test/x", ("a.test/blog",), (), False),
        ("https://a.test/x", ("b.test", "a.test"), (), True),
        ("https://a.test/x", ("",), (), False),
        ("https://a.test/x", (), ("a.test",), False),
        ("https://a.test/x", (), ("b.test",), True),
        ("https://[a.test/x", ("a.test",), (), False),
    ],
)
def test_domains(url: str, allowed: tuple[str, ...], blocked: tuple[str, ...], stays: bool) -> None:
    wish = SearchOptions(None, allowed, blocked)

    assert bool(fits([SearchHit(url, "t")], SearchOptions(), wish)) is stays


def test_what_the_model_is_told() -> None:
    hits = [SearchHit("https://a.test", "A", "about a", "May"), SearchHit("https://b.test", "B")]

    assert told("q", hits).splitlines() == [
        'Results of the web search for "q":',
        "",
        "1. A",
        "https://a.test (May)",
        "about a",
        "",
        "2. B",
        "https://b.test",
    ]
    assert told("q", []).endswith("nothing was found")


@pytest.mark.parametrize(
    "given, expected",
    [
        (Json(b'{"query":" a  b ","allowed_domains":["x",7],"blocked_domains":"y"}'), ("a b", ("x",))),
        ('{"query":"c"}', ("c", ())),
        ("no json", ("", ())),
        (Json(b"[]"), ("", ())),
    ],
)
def test_what_a_call_asks_for(given: Json | str, expected: tuple[str, tuple[str, ...]]) -> None:
    searcher = Searcher(None, CODEC, SearchOptions(), 1)  # type: ignore[arg-type]  # nobody searches here
    asked = searcher.read(ToolCall("c", "web_search", given))

    assert (asked.query, asked.wish.allowed_domains) == expected
