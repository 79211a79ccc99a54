"""Results of web search in words."""

from __future__ import annotations

import pytest

from ccr.adapters.wire.web_results import as_text, clipped, query_of, results_of
from ccr.domain.verbatim import Json


@pytest.mark.parametrize(
    "content", [b"", b"7", b"{}", b"[7]", b"[", b'{"type":"web_search_tool_result_error"}']
)
def test_what_is_no_list_of_results_has_none(content: bytes) -> None:
    assert results_of(Json(content)) == []
    assert as_text(Json(content)) == "[web search]\n(no results)"


def test_an_empty_list_is_not_talked_about() -> None:
    """Kimi keeps what it found to itself, and says it in the text that follows."""
    assert as_text(Json(b"[]"), "q") == '[web search: "q"]'


def test_results_are_told_with_address_age_and_text() -> None:
    content = Json(
        b'[{"title":"A","url":"https://a.test","page_age":"May","encrypted_content":"says  A"},{"url":"https://b.test"}]'
    )

    assert as_text(content, "q").splitlines() == [
        '[web search: "q"]',
        "1. A - https://a.test (May)",
        "says A",
        "2.  - https://b.test",
    ]
    assert "says A" not in as_text(content, "q", texts=False)


@pytest.mark.parametrize(
    "given, query",
    [(Json(b'{"query":" a  b "}'), "a b"), ('{"query":"c"}', "c"), ("", ""), (Json(b'{"query":7}'), "")],
)
def test_what_a_search_looked_for(given: Json | str, query: str) -> None:
    assert query_of(given) == query


def test_a_text_is_one_line_and_bounded() -> None:
    assert clipped(None, 5) == ""
    assert clipped(" a\n b ", 5) == "a b"
    assert clipped("abcdefgh", 6) == "abc..."
