"""SearXNG: ``GET /search?q=...&format=json`` of an instance of one's own (docs.searxng.org, Search API).

The instance must have ``json`` among its ``search.formats``, else it answers 403. Comes:
``{results: [{url, title, content, publishedDate?}]}``; there is no limit to ask for, so the results are cut here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ccr.application.ports.search import SearchHit
from ccr.application.ports.upstream import UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ccr.application.settings import SearchSettings
    from ccr.domain.conversation import SearchOptions

__all__ = ["LONGEST", "hits", "request"]

LONGEST = 1000


def request(settings: SearchSettings, query: str, options: SearchOptions) -> UpstreamRequest:
    """Write a search. Which words choose a domain depends on the engines behind it; most know ``site:``."""
    sites = " OR ".join(f"site:{domain}" for domain in options.allowed_domains)
    fields = {"q": f"{query} {sites}".strip(), "format": "json"}
    headers = [("accept", "application/json")]
    if settings.api_key:
        headers.append(("authorization", f"Bearer {settings.api_key.reveal()}"))
    url = settings.url.rstrip("/").removesuffix("/search")
    return UpstreamRequest("GET", f"{url}/search?{urlencode(fields)}", tuple(headers), b"")


def hits(reply: Mapping[str, object]) -> Iterable[SearchHit]:
    """Read the results."""
    found = reply.get("results")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield SearchHit(
                str(one.get("url") or ""),
                str(one.get("title") or ""),
                str(one.get("content") or ""),
                str(one.get("publishedDate") or ""),
            )
