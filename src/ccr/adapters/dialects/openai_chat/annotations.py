"""Citations and search results as ``annotations`` of a message (``url_citation``)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.web_results import clipped, results_of

if TYPE_CHECKING:
    from ccr.domain.conversation import Citation
    from ccr.domain.verbatim import Json

__all__ = ["Annotations"]

_LONGEST = 2000


class Annotations:
    """Gathers them while a reply is written. Places count the characters of the whole content."""

    def __init__(self) -> None:
        self._made: list[object] = []
        self._urls: set[str] = set()
        self._waiting: list[Citation] = []
        self._results: list[tuple[str, str]] = []

    def cite(self, citation: Citation) -> None:
        """Take a citation of the text that is being written."""
        self._waiting.append(citation)

    def placed(self, start: int, end: int) -> None:
        """The text that was cited lies there: from ``start`` to ``end``."""
        for citation in self._waiting:
            if citation.dialect == NAME and citation.rest is not None:
                self._made.append(json.Raw(citation.rest.data))
            elif citation.url:
                self._made.append(_annotation(citation.url, citation.title, start, end))
            self._urls.add(citation.url)
        self._waiting.clear()

    def add_results(self, content: Json) -> None:
        """Take the results of a web search."""
        for result in results_of(content):
            url = clipped(result.get("url"), _LONGEST)
            if url:
                self._results.append((url, clipped(result.get("title"), _LONGEST)))

    def all(self) -> list[object]:
        """Return them; of the results those that nothing cited, once each."""
        made = list(self._made)
        for url, title in self._results:
            if url not in self._urls:
                self._urls.add(url)
                made.append(_annotation(url, title, 0, 0))
        return made


def _annotation(url: str, title: str, start: int, end: int) -> dict[str, object]:
    cited = {"start_index": start, "end_index": end, "url": url, "title": title or url}
    return {"type": "url_citation", "url_citation": cited}
