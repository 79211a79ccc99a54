"""Exa: ``POST /search`` with ``x-api-key`` (docs.exa.ai, Search).

Sent: ``query``, ``numResults`` (at most 100), ``includeDomains``, ``excludeDomains``, ``contents: {text: {maxCharacters}}``.
Comes: ``{results: [{title, url, publishedDate?, text?, highlights?, summary?}]}``.
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

LONGEST = 2000
_URL = "https://api.exa.ai"
_PAGE = 1500
"""Characters of a page that are asked for."""


def request(settings: SearchSettings, query: str, options: SearchOptions) -> UpstreamRequest:
    """Write a search."""
    body: dict[str, object] = {
        "query": query,
        "numResults": settings.max_results,
        "contents": {"text": {"maxCharacters": _PAGE}},
    }
    if options.allowed_domains:
        body["includeDomains"] = list(options.allowed_domains)
    if options.blocked_domains:
        body["excludeDomains"] = list(options.blocked_domains)
    key = settings.api_key.reveal() if settings.api_key else ""
    headers = (("content-type", "application/json"), ("accept", "application/json"), ("x-api-key", key))
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
                _text(one),
                str(one.get("publishedDate") or ""),
            )


def _text(one: Mapping[str, object]) -> str:
    marked = one.get("highlights")
    for text in (one.get("text"), one.get("summary")):
        if isinstance(text, str) and text:
            return text
    return "\n".join(text for text in marked if isinstance(text, str)) if isinstance(marked, list) else ""
