"""Web search of our own, for models whose provider has none."""

from __future__ import annotations

from attrs import field, frozen

from ccr.domain.secret import Secret

__all__ = ["SearchSettings"]


@frozen
class SearchSettings:
    """``engine`` empty = there is none. ``url`` is where the engine is, empty = its public address.

    ``max_results`` bounds one search, ``max_uses`` the searches of one reply unless the request says how many.
    """

    engine: str = ""
    api_key: Secret | None = field(default=None, repr=False)
    url: str = ""
    max_results: int = 8
    max_uses: int = 5
