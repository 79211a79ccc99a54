"""Search engines: each module writes one engine's request and reads its reply; here they are asked, all alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

from attrs import frozen

from ccr.adapters.search import brave, exa, searxng, tavily
from ccr.adapters.wire import json
from ccr.adapters.wire.web_results import clipped
from ccr.application.ports.search import SearchHit
from ccr.application.ports.upstream import Timeouts, UpstreamRequest
from ccr.domain.errors import (
    UpstreamAuthError,
    UpstreamLimitedError,
    UpstreamProtocolError,
    UpstreamRejectedError,
    UpstreamTimeoutError,
    UpstreamUnavailableError,
)
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.ports.upstream import Upstream, UpstreamResponse
    from ccr.application.settings import SearchSettings
    from ccr.domain.conversation import SearchOptions
    from ccr.domain.errors import UpstreamError

__all__ = ["Engine", "SearchEngines"]

_Ask: TypeAlias = "Callable[[SearchSettings, str, SearchOptions], UpstreamRequest]"
_Read: TypeAlias = Callable[[Mapping[str, object]], Iterable[SearchHit]]

_ENGINES: dict[str, tuple[_Ask, _Read, int]] = {
    "tavily": (tavily.request, tavily.hits, tavily.LONGEST),
    "brave": (brave.request, brave.hits, brave.LONGEST),
    "exa": (exa.request, exa.hits, exa.LONGEST),
    "searxng": (searxng.request, searxng.hits, searxng.LONGEST),
}
_KEYLESS = "searxng"

_MAX_REPLY = 4 * 1024 * 1024
"""Bytes: twenty results with whole pages, and room; none of the engines sends as much when asked as we ask."""
_TITLE, _TEXT, _ADDRESS, _AGE = 300, 1500, 2000, 40
"""Characters of a result that are kept."""
_SECONDS = 20.0
"""A search that takes longer helps nobody: the model goes on without it."""
_WAITS = Timeouts(connect=5.0, first_byte=15.0)


class SearchEngines:
    """Makes the engine of a configuration."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    def __call__(self, settings: SearchSettings) -> Engine | None:
        """Return the engine; None if there is none, or it has not what it needs."""
        if settings.engine not in _ENGINES:
            return None
        if settings.engine == _KEYLESS:
            return Engine(self._upstream, settings) if settings.url else None
        return Engine(self._upstream, settings) if settings.api_key else None


@frozen
class Engine:
    """:class:`ccr.application.ports.search.SearchEngine` over HTTP and JSON."""

    upstream: Upstream
    settings: SearchSettings

    @property
    def longest(self) -> int:
        """Characters of a query that it takes."""
        return _ENGINES[self.settings.engine][2]

    async def search(self, query: str, options: SearchOptions) -> Sequence[SearchHit]:
        """Ask. Raises UpstreamError."""
        ask, read, _ = _ENGINES[self.settings.engine]
        request = evolve(ask(self.settings, query, options), timeouts=_WAITS)
        try:
            async with asyncio.timeout(_SECONDS):
                body = await self._exchanged(request)
        except TimeoutError as error:
            raise UpstreamTimeoutError(f"{self.settings.engine} took more than {_SECONDS:g} s") from error
        found = json.object_of(body)
        if found is None:
            raise UpstreamProtocolError(f"{self.settings.engine} answered, but not with JSON")
        return _bounded(read(found), self.settings.max_results)

    async def _exchanged(self, request: UpstreamRequest) -> bytes:
        response = await self.upstream.open(request)
        try:
            if response.status != 200:
                raise await self._failure(response)
            return await response.read(_MAX_REPLY)
        finally:
            await response.aclose()

    async def _failure(self, response: UpstreamResponse) -> UpstreamError:
        """Say what a status means, in our words: an engine's own may hold the key."""
        status, name = response.status, self.settings.engine
        if status in (401, 403):
            hint = " (is json among its search.formats?)" if name == _KEYLESS else ": its key is refused"
            return UpstreamAuthError(f"{name} answered {status}{hint}")
        if status in (402, 429, 432, 433):
            return UpstreamLimitedError(
                f"{name} answered {status}: too many searches, or the plan is used up"
            )
        if status < 500:
            return UpstreamRejectedError(f"{name} answered {status}")
        return UpstreamUnavailableError(f"{name} answered {status}")


def _bounded(found: Iterable[SearchHit], most: int) -> tuple[SearchHit, ...]:
    kept: dict[str, SearchHit] = {}
    for hit in found:
        url = hit.url.strip()
        if not url.startswith(("http://", "https://")) or len(url) > _ADDRESS:
            continue
        title, text, age = clipped(hit.title, _TITLE), clipped(hit.text, _TEXT), clipped(hit.age, _AGE)
        kept.setdefault(url, SearchHit(url, title or url, text, age))
        if len(kept) == most:
            break
    return tuple(kept.values())
