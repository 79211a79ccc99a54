"""Google Search: what grounds a reply, read as a search with results and citations, and written back as such.

``groundingSupports`` speak of a text by bytes, our citations by characters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.adapters.dialects.gemini.wire import Wire
from ccr.adapters.wire import json, web_results
from ccr.domain.conversation import Citation, ServerToolCall, ServerToolResult
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.adapters.dialects.gemini.wire import Raw

__all__ = ["SEARCH", "Grounding", "Sources", "queries_of"]

SEARCH = "web_search"


class Grounding:
    """A ``groundingMetadata``; the last one of a reply counts."""

    def __init__(self, raw: Raw) -> None:
        found = json.object_of(raw) or {}
        self.queries = [query for query in _list(found.get("webSearchQueries")) if isinstance(query, str)]
        self._pages = [_page(chunk) for chunk in _list(found.get("groundingChunks"))]
        self._supports = [one for one in _list(found.get("groundingSupports")) if isinstance(one, Mapping)]

    @property
    def searched(self) -> bool:
        """Whether it says that a search was made."""
        return bool(self.queries or any(self._pages))

    def call(self, call_id: str) -> tuple[ServerToolCall, str]:
        """Return the search as a call, and its input."""
        given: Wire = {"query": "; ".join(self.queries)}
        if len(self.queries) > 1:
            given["queries"] = self.queries
        return ServerToolCall(call_id, SEARCH, ""), json.encode_wire(given).decode()

    def result(self, call_id: str, dialect: str) -> ServerToolResult:
        """Return what the search found."""
        pages = [
            {
                "type": "web_search_result",
                "url": url,
                "title": title,
                "page_age": None,
                "encrypted_content": "",
            }
            for url, title in filter(None, self._pages)
        ]
        return ServerToolResult(call_id, web_results.KIND, Json(json.encode_wire(pages)), dialect)

    def citations(self, text: str) -> Iterator[Citation]:
        """Yield what in ``text`` comes from where."""
        data = text.encode("utf-8", "replace")
        for support in self._supports:
            segment = support.get("segment")
            start, end, said = _segment(segment if isinstance(segment, Mapping) else {}, data)
            for index in _list(support.get("groundingChunkIndices")):
                page = (
                    self._pages[index] if isinstance(index, int) and 0 <= index < len(self._pages) else None
                )
                if page is not None:
                    yield Citation("url", said, page[0], page[1], start, end)


def _page(chunk: object) -> tuple[str, str] | None:
    web = chunk.get("web") if isinstance(chunk, Mapping) else None
    url, title = (web.get("uri"), web.get("title")) if isinstance(web, Mapping) else (None, None)
    if not isinstance(url, str):
        return None
    return url, title if isinstance(title, str) and title else url


def _segment(segment: Mapping[str, object], data: bytes) -> tuple[int | None, int | None, str]:
    """Return where a segment lies, in characters, and its text; no place if the text is not there."""
    start, end, said = segment.get("startIndex", 0), segment.get("endIndex"), segment.get("text")
    text = said if isinstance(said, str) else ""
    if not isinstance(start, int) or not isinstance(end, int) or not 0 <= start <= end:
        return None, None, text
    found = data[start:end].decode("utf-8", "replace")
    if text and found != text:
        return None, None, text
    before = len(data[:start].decode("utf-8", "replace"))
    return before, before + len(found), found


def _list(found: object) -> Sequence[object]:
    return found if isinstance(found, list) else []


def queries_of(text: str) -> list[str]:
    """Return what a search looked for, by the input of its call."""
    found = json.object_of(text.encode("utf-8", "replace")) or {}
    several = [query for query in _list(found.get("queries")) if isinstance(query, str)]
    query = found.get("query")
    return several or ([query] if isinstance(query, str) and query else [])


@define(eq=False)
class Sources:
    """What our client is told about searches: gathers queries, pages and what of the text is from where."""

    queries: list[str] = field(factory=list)
    _pages: dict[str, str] = field(factory=dict)
    _supports: list[Wire] = field(factory=list)

    def found(self, result: ServerToolResult) -> None:
        """Take what a search found."""
        for one in web_results.results_of(result.content):
            url, title = one.get("url"), one.get("title")
            if isinstance(url, str):
                self._pages.setdefault(url, title if isinstance(title, str) else url)

    def cited(self, citation: Citation, text: str) -> None:
        """Take a citation of ``text``; without a place it is of the whole of it."""
        if not citation.url:
            return
        self._pages.setdefault(citation.url, citation.title or citation.url)
        start, end = 0, len(text)
        if citation.kind == "url" and citation.start is not None and citation.end is not None:
            start, end = citation.start, citation.end
        segment: Wire = {
            "startIndex": len(text[:start].encode("utf-8", "replace")),
            "endIndex": len(text[:end].encode("utf-8", "replace")),
            "text": text[start:end],
        }
        index = list(self._pages).index(citation.url)
        self._supports.append({"segment": segment, "groundingChunkIndices": [index]})

    def metadata(self) -> Wire | None:
        """Return the ``groundingMetadata``; None if nothing was searched."""
        if not self.queries and not self._pages:
            return None
        chunks = [{"web": {"uri": url, "title": title}} for url, title in self._pages.items()]
        made: Wire = {"webSearchQueries": self.queries, "groundingChunks": chunks}
        if self._supports:
            made["groundingSupports"] = self._supports
        return made
