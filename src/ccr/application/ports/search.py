"""Web search by somebody else than the model's provider."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from ccr.domain.conversation import SearchOptions

__all__ = ["SearchEngine", "SearchHit"]


@frozen
class SearchHit:
    """One result. ``text`` is what the page says about the query, plain and bounded; ``age`` its date as the engine says it."""

    url: str
    title: str
    text: str = ""
    age: str = ""


class SearchEngine(Protocol):
    """Finds pages."""

    @property
    def longest(self) -> int:
        """Characters of a query that it takes."""
        ...

    async def search(self, query: str, options: SearchOptions) -> Sequence[SearchHit]:
        """Return the best results first, bounded in number and length.

        Domains in ``options`` are a wish: an engine that cannot filter returns what it has. Raises UpstreamError with a
        sentence that may be shown.
        """
        ...
