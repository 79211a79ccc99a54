"""WebSearch of the real client before a provider that has none: the gateway searches, the client sees searches."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from typing_extensions import override

from tests.integration.claude_code.conftest import NewClient, OpenStage
from tests.support.scripts import Script, by_turn, call, mentions, text, when

pytestmark = pytest.mark.client

HIT = {"url": "https://sky.test/blue", "title": "Why it is blue", "content": "Rayleigh scatters blue light."}
ASKED = "Perform a web search"


@contextmanager
def engine(queries: list[str]) -> Iterator[str]:
    """A SearXNG instance on loopback that finds one page; yield its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            queries.append(self.path)
            body = json.dumps({"query": "q", "results": [HIT]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        @override
        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


SEARCHES = by_turn(call("web_search", query="why is the sky blue"), text("Light scatters."))
TALKS = by_turn(text("I cannot search."), text("Light scatters."))


@pytest.mark.parametrize("upstream_kind", ["openai"])  # Anthropic searches itself
@pytest.mark.parametrize("model", [SEARCHES, TALKS], ids=["searches", "talks"])
def test_the_client_shows_a_real_search(own_ccr: OpenStage, new_client: NewClient, model: Script) -> None:
    main = by_turn(
        call("ToolSearch", query="select:WebSearch", max_results=1),
        call("WebSearch", query="why is the sky blue"),
        text("It is blue."),
    )
    queries: list[str] = []
    with engine(queries) as url:
        stage = own_ccr(config={"Search": {"engine": "searxng", "url": url}})
        stage.play(when(mentions(ASKED), model, main))

        run = new_client(stage).run("why is the sky blue?")

    assert run.answer == "It is blue.", run.describe() + stage.evidence()
    assert stage.upstream.rejections == [], stage.evidence()
    assert len(queries) == 1
    assert "why+is+the+sky+blue" in queries[0]
    found = [m["tool_use_result"] for m in run.messages if "results" in (m.get("tool_use_result") or {})]
    ((result),) = found
    pages = [page for one in result["results"] if isinstance(one, dict) for page in one["content"]]
    assert [(page["url"], page["title"]) for page in pages] == [(HIT["url"], HIT["title"])]
    told = "".join(str(block["content"]) for block in run.tool_results)
    assert HIT["url"] in told
    assert "Light scatters." in told


@pytest.mark.parametrize("upstream_kind", ["moonshot"])
def test_kimi_searches_itself_and_the_client_shows_it(own_ccr: OpenStage, new_client: NewClient) -> None:
    main = by_turn(
        call("ToolSearch", query="select:WebSearch", max_results=1),
        call("WebSearch", query="why is the sky blue"),
        text("It is blue."),
    )
    given = {"search_result": {"search_id": "s1"}, "usage": {"total_tokens": 3012}}
    searches = by_turn(call("$web_search", **given), text("Light scatters."))
    stage = own_ccr()
    stage.play(when(mentions(ASKED), searches, main))

    run = new_client(stage).run("why is the sky blue?")

    assert run.answer == "It is blue.", run.describe() + stage.evidence()
    assert stage.upstream.rejections == [], stage.evidence()
    (found,) = [m["tool_use_result"] for m in run.messages if "results" in (m.get("tool_use_result") or {})]
    assert found["searchCount"] == 1
    assert [one["content"] for one in found["results"] if isinstance(one, dict)] == [[]]
    assert "Light scatters." in "".join(str(block["content"]) for block in run.tool_results)
