"""Brave: ``GET /res/v1/web/search`` with ``X-Subscription-Token`` (api-dashboard.search.brave.com, Web Search).

Sent: ``q`` (at most 400 characters and 50 words; ``site:`` words choose domains), ``count`` (at most 20). Comes:
``{web: {results: [{title, url, description, age?, page_age?, extra_snippets?}]}}``.
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

LONGEST = 400
_MOST_WORDS = 50
_URL = "https://api.search.brave.com/res/v1"


def request(settings: SearchSettings, query: str, options: SearchOptions) -> UpstreamRequest:
    """Write a search."""
    words = query.split()[:_MOST_WORDS]
    fields = {"q": _narrowed(" ".join(words), len(words), options), "count": str(settings.max_results)}
    key = settings.api_key.reveal() if settings.api_key else ""
    headers = (("accept", "application/json"), ("x-subscription-token", key))
    return UpstreamRequest(
        "GET", f"{settings.url.rstrip('/') or _URL}/web/search?{urlencode(fields)}", headers, b""
    )


def _narrowed(query: str, words: int, options: SearchOptions) -> str:
    """Add the domains, if there is room: who asked filters the results anyway."""
    sites = [f"site:{domain}" for domain in options.allowed_domains]
    extra = [" OR ".join(sites)] if sites else []
    extra += [f"-site:{domain}" for domain in options.blocked_domains]
    whole = " ".join([query, *extra])
    fits = len(whole) <= LONGEST and words + 2 * len(sites) + len(options.blocked_domains) <= _MOST_WORDS
    return whole if fits else query


def hits(reply: Mapping[str, object]) -> Iterable[SearchHit]:
    """Read the results."""
    web = reply.get("web")
    found = web.get("results") if isinstance(web, dict) else None
    for one in found if isinstance(found, list) else ():
        if not isinstance(one, dict):
            continue
        more = one.get("extra_snippets")
        texts = [one.get("description"), *(more if isinstance(more, list) else ())]
        yield SearchHit(
            str(one.get("url") or ""),
            str(one.get("title") or ""),
            "\n".join(text for text in texts if isinstance(text, str)),
            str(one.get("page_age") or one.get("age") or ""),
        )
