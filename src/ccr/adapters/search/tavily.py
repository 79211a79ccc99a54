"""Tavily: ``POST /search`` with a bearer key (docs.tavily.com, Search).

Sent: ``query``, ``max_results`` (at most 20), ``search_depth``, ``include_domains``, ``exclude_domains``. Comes:
``{results: [{title, url, content, score, published_date?}]}``; an error as ``{detail: {error}}``, 432 and 433 for a plan
that is used up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.wire import json
from ccr.application.ports.search import SearchHit
from ccr.application.ports.upstream import UpstreamRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ccr.application.settings import SearchSettings
    from ccr.domain.conversation import SearchOptions

__all__ = ["LONGEST", "hits", "request"]

LONGEST = 400
_URL = "https://api.tavily.com"


def request(settings: SearchSettings, query: str, options: SearchOptions) -> UpstreamRequest:
    """Write a search."""
    body: dict[str, object] = {
        "query": query,
        "max_results": settings.max_results,
        "search_depth": "basic",
    }
    if options.allowed_domains:
        body["include_domains"] = list(options.allowed_domains)
    if options.blocked_domains:
        body["exclude_domains"] = list(options.blocked_domains)
    key = settings.api_key.reveal() if settings.api_key else ""
    headers = (
        ("content-type", "application/json"),
        ("accept", "application/json"),
        ("authorization", f"Bearer {key}"),
    )
    return UpstreamRequest(
        "POST", f"{settings.url.rstrip('/') or _URL}/search", headers, json.encode_wire(body)
    )


def hits(reply: Mapping[str, object]) -> Iterable[SearchHit]:
    """Read the results."""
    found = reply.get("results")
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict):
            yield SearchHit(
                str(one.get("url") or ""),
                str(one.get("title") or ""),
                str(one.get("content") or ""),
                str(one.get("published_date") or ""),
            )
