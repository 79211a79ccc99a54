"""``Search``: web search of our own."""

from __future__ import annotations

from attrs import frozen

from ccr.adapters.config.schema.keys import REQUIRED, Kind, key
from ccr.domain.secret import Secret

__all__ = ["ENGINES", "SearchBlock"]

ENGINES = ("tavily", "brave", "exa", "searxng")


@frozen
class SearchBlock:
    """The engine asked when a request brings web search and the provider has none of its own."""

    engine: str = key("engine", Kind.TEXT, "Who searches.", default=REQUIRED, choices=ENGINES)
    api_key: Secret | None = key("apiKey", Kind.SECRET, "The engine's key; searxng needs none.")
    url: str = key(
        "url",
        Kind.URL,
        "Where it is: of searxng the address of the instance, of the others a proxy's.",
        default="",
    )
    max_results: int = key("maxResults", Kind.INTEGER, "Results of one search.", default=8, least=1, most=20)
    max_uses: int = key(
        "maxUses",
        Kind.INTEGER,
        "Searches of one reply when the request does not say.",
        default=5,
        least=1,
        most=20,
    )
