"""What each search engine is asked, and what is read of its answer."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from ccr.adapters.search import Engine, SearchEngines
from ccr.adapters.upstream.fake import FakeUpstream, Reply
from ccr.application.ports.search import SearchHit
from ccr.application.ports.upstream import UpstreamRequest
from ccr.application.settings import SearchSettings
from ccr.domain.conversation import SearchOptions
from ccr.domain.errors import (
    GatewayError,
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio

KEY = "canary-0123456789"
ANY = SearchOptions()
SOME = SearchOptions(None, ("a.test", "b.test"), ("c.test",))


def reply(body: object, status: int = 200) -> Reply:
    return Reply(status, {"content-type": "application/json"}, [msgspec.json.encode(body)])


async def searched(
    name: str,
    body: object,
    options: SearchOptions = ANY,
    *,
    url: str = "",
    key: str = KEY,
    query: str = "why",
) -> tuple[UpstreamRequest, tuple[SearchHit, ...]]:
    upstream = FakeUpstream(reply(body))
    settings = SearchSettings(name, Secret(key) if key else None, url, max_results=3)
    engine = SearchEngines(upstream)(settings)
    assert engine is not None
    hits = await engine.search(query, options)
    assert upstream.responses[0].closed
    (request,) = upstream.requests
    return request, tuple(hits)


def query_of(request: UpstreamRequest) -> dict[str, list[str]]:
    return parse_qs(urlsplit(request.url).query)


async def test_tavily() -> None:
    body = {
        "query": "why",
        "results": [
            {
                "title": "A",
                "url": "https://a.test/",
                "content": "about  a",
                "score": 0.9,
                "raw_content": None,
            },
            {"title": "N", "url": "https://n.test/", "content": "new", "published_date": "Mon, 05 Jan 2026"},
            7,
        ],
        "response_time": "1.2",
    }
    request, hits = await searched("tavily", body, SOME)

    assert (request.method, request.url) == ("POST", "https://api.tavily.com/search")
    assert dict(request.headers)["authorization"] == f"Bearer {KEY}"
    assert msgspec.json.decode(request.body) == {
        "query": "why",
        "max_results": 3,
        "search_depth": "basic",
        "include_domains": ["a.test", "b.test"],
        "exclude_domains": ["c.test"],
    }
    assert hits == (
        SearchHit("https://a.test/", "A", "about a"),
        SearchHit("https://n.test/", "N", "new", "Mon, 05 Jan 2026"),
    )


async def test_brave() -> None:
    body = {
        "type": "search",
        "web": {
            "type": "search",
            "results": [
                {
                    "title": "A",
                    "url": "https://a.test/",
                    "description": "about a",
                    "extra_snippets": ["more"],
                    "age": "2 days ago",
                    "page_age": "2026-01-05T00:00:00",
                },
                {"title": "B", "url": "https://b.test/"},
                None,
            ],
        },
    }
    request, hits = await searched("brave", body, SOME)

    assert (request.method, request.body) == ("GET", b"")
    assert request.url.startswith("https://api.search.brave.com/res/v1/web/search?")
    assert dict(request.headers)["x-subscription-token"] == KEY
    assert query_of(request) == {"q": ["why site:a.test OR site:b.test -site:c.test"], "count": ["3"]}
    assert hits == (
        SearchHit("https://a.test/", "A", "about a more", "2026-01-05T00:00:00"),
        SearchHit("https://b.test/", "B"),
    )


async def test_brave_takes_so_many_words_only() -> None:
    query = " ".join(["word"] * 60)
    request, _ = await searched("brave", {"web": None}, SOME, query=query)

    assert query_of(request)["q"] == [" ".join(["word"] * 50)]


async def test_exa() -> None:
    body = {
        "requestId": "r",
        "results": [
            {
                "id": "1",
                "title": "A",
                "url": "https://a.test/",
                "publishedDate": "2026-01-05",
                "text": "about a",
            },
            {"title": None, "url": "https://s.test/", "summary": "short"},
            {"title": "H", "url": "https://h.test/", "highlights": ["one", "two"]},
            "x",
        ],
    }
    request, hits = await searched("exa", body, SOME, url="https://proxy.test/exa/")

    assert (request.method, request.url) == ("POST", "https://proxy.test/exa/search")
    assert dict(request.headers)["x-api-key"] == KEY
    assert msgspec.json.decode(request.body) == {
        "query": "why",
        "numResults": 3,
        "contents": {"text": {"maxCharacters": 1500}},
        "includeDomains": ["a.test", "b.test"],
        "excludeDomains": ["c.test"],
    }
    assert hits == (
        SearchHit("https://a.test/", "A", "about a", "2026-01-05"),
        SearchHit("https://s.test/", "https://s.test/", "short"),
        SearchHit("https://h.test/", "H", "one two"),
    )


async def test_exa_without_a_text() -> None:
    _, hits = await searched("exa", {"results": [{"url": "https://a.test/", "title": "A"}]})

    assert hits == (SearchHit("https://a.test/", "A"),)


async def test_searxng() -> None:
    body = {
        "query": "why",
        "results": [
            {"url": "https://a.test/", "title": "A", "content": "about a", "publishedDate": "2026-01-05"},
            {"url": "https://b.test/", "title": "B", "publishedDate": None},
            [],
        ],
    }
    request, hits = await searched("searxng", body, SOME, url="http://127.0.0.1:8080/search", key="")

    assert (request.method, request.body) == ("GET", b"")
    assert request.url.startswith("http://127.0.0.1:8080/search?")
    assert query_of(request) == {"q": ["why site:a.test OR site:b.test"], "format": ["json"]}
    assert "authorization" not in dict(request.headers)
    assert hits == (
        SearchHit("https://a.test/", "A", "about a", "2026-01-05"),
        SearchHit("https://b.test/", "B"),
    )


async def test_searxng_behind_a_key() -> None:
    request, _ = await searched("searxng", {}, url="http://s.test")

    assert dict(request.headers)["authorization"] == f"Bearer {KEY}"
    assert query_of(request)["q"] == ["why"]


NAMES = ("tavily", "brave", "exa", "searxng")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("body", [{}, {"results": None, "web": {"results": 7}}, {"web": []}])
async def test_an_answer_without_results_has_none(name: str, body: object) -> None:
    _, hits = await searched(name, body, url="http://s.test")

    assert hits == ()


def many(count: int, **fields: Any) -> dict[str, Any]:
    results = [{"url": f"https://a.test/{n}", "title": "T", "content": "x", **fields} for n in range(count)]
    return {"results": results}


async def test_results_are_bounded_in_number_and_length() -> None:
    _, hits = await searched(
        "tavily", many(9, title="t " * 999, content="c" * 99_999, published_date="d" * 99)
    )

    assert len(hits) == 3
    assert {len(hits[0].title), len(hits[0].text), len(hits[0].age)} == {300, 1500, 40}


async def test_what_is_no_address_and_what_is_there_already_is_left_out() -> None:
    bad = ["javascript:alert(1)", "", "https://" + "a" * 3000, "https://a.test/1", "https://a.test/1"]
    _, hits = await searched("tavily", {"results": [{"url": url, "title": "T"} for url in bad]})

    assert [hit.url for hit in hits] == ["https://a.test/1"]


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, UpstreamRejectedError),
        (401, UpstreamAuthError),
        (403, UpstreamAuthError),
        (402, UpstreamLimitedError),
        (429, UpstreamLimitedError),
        (432, UpstreamLimitedError),
        (302, UpstreamRejectedError),
        (503, UpstreamUnavailableError),
    ],
)
async def test_what_a_status_means(status: int, kind: type[GatewayError]) -> None:
    upstream = FakeUpstream(reply({"detail": {"error": f"key {KEY} is bad"}}, status))
    engine = Engine(upstream, SearchSettings("tavily", Secret(KEY)))
    with pytest.raises(kind) as caught:
        await engine.search("q", ANY)

    assert type(caught.value) is kind
    assert str(status) in caught.value.message
    assert KEY not in caught.value.message
    assert upstream.responses[0].closed


async def test_searxng_says_why_it_may_refuse() -> None:
    engine = Engine(FakeUpstream(reply({}, 403)), SearchSettings("searxng", None, "http://s.test"))
    with pytest.raises(UpstreamAuthError, match="is json among its search"):
        await engine.search("q", ANY)


async def test_what_is_no_json_is_told() -> None:
    engine = Engine(FakeUpstream(Reply(200, {}, [b"<html>"])), SearchSettings("brave", Secret(KEY)))
    with pytest.raises(UpstreamProtocolError, match="not with JSON"):
        await engine.search("q", ANY)


async def test_an_answer_without_end_is_given_up() -> None:
    engine = Engine(FakeUpstream(Reply(200, {}, [b"x" * 1024] * 5000)), SearchSettings("brave", Secret(KEY)))
    with pytest.raises(UpstreamProtocolError):
        await engine.search("q", ANY)


async def test_a_search_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ccr.adapters.search._SECONDS", 0.01)
    upstream = FakeUpstream(Reply(200, {}, [asyncio.Event()]))
    with pytest.raises(UpstreamTimeoutError, match="exa took more than"):
        await Engine(upstream, SearchSettings("exa", Secret(KEY))).search("q", ANY)

    assert upstream.responses[0].closed


@pytest.mark.parametrize(
    "settings",
    [
        SearchSettings(),
        SearchSettings("altavista", Secret(KEY)),
        SearchSettings("tavily"),
        SearchSettings("exa", Secret("")),
        SearchSettings("searxng", Secret(KEY)),
    ],
)
async def test_without_what_it_needs_there_is_no_engine(settings: SearchSettings) -> None:
    assert SearchEngines(FakeUpstream())(settings) is None


@pytest.mark.parametrize("name", NAMES)
async def test_every_engine_bounds_queries(name: str) -> None:
    assert Engine(FakeUpstream(), SearchSettings(name)).longest >= 400
