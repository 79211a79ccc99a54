"""Answers the searches of a model by a search engine; a search that fails is an answer too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from ccr.application.assist.search_terms import fits, told
from ccr.domain.conversation import SearchOptions, ToolCall
from ccr.domain.errors import GatewayError, UpstreamLimitedError, UpstreamRejectedError
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.ports.payload import JsonCodec
    from ccr.application.ports.search import SearchEngine, SearchHit

__all__ = ["Found", "Searcher"]


@frozen
class Found:
    """What a search gave: for the client, and in words for the model. ``code`` empty = it went well."""

    content: Json
    text: str
    code: str = ""


@frozen(eq=False)
class Searcher:
    """Answers calls. ``most`` = searches of one reply."""

    engine: SearchEngine
    codec: JsonCodec
    options: SearchOptions
    most: int

    def query_of(self, call: ToolCall) -> tuple[str, SearchOptions]:
        """Return what a call asks for; no query if it cannot be read."""
        try:
            given = self.codec.decode(
                call.input.data if isinstance(call.input, Json) else call.input.encode()
            )
        except ValueError:
            return "", SearchOptions()
        if not isinstance(given, dict) or not isinstance(given.get("query"), str):
            return "", SearchOptions()
        wish = SearchOptions(
            allowed_domains=_texts(given.get("allowed_domains")),
            blocked_domains=_texts(given.get("blocked_domains")),
        )
        return " ".join(given["query"].split()), wish

    async def answer(self, query: str, wish: SearchOptions) -> Found:
        """Search. A failure is an answer too: the model goes on without."""
        if not query:
            return self._failed("invalid_input", "The search needs a query.")
        if len(query) > self.engine.longest:
            return self._failed(
                "query_too_long", f"The query is longer than {self.engine.longest} characters."
            )
        mine = self.options
        asked = evolve(
            mine,
            allowed_domains=mine.allowed_domains or wish.allowed_domains,
            blocked_domains=(*mine.blocked_domains, *wish.blocked_domains),
        )
        try:
            hits = fits(await self.engine.search(query, asked), mine, wish)
        except GatewayError as error:
            return self._failed(_code(error), f"The search failed: {error.message}")
        return Found(Json(self.codec.encode([_result(hit) for hit in hits])), told(query, hits))

    async def refuse(self) -> Found:
        """Answer a search that is one too many."""
        return self._failed("max_uses_exceeded", "There are no searches left: answer with what you know.")

    def _failed(self, code: str, text: str) -> Found:
        error = {"type": "web_search_tool_result_error", "error_code": code}
        return Found(Json(self.codec.encode(error)), text, code)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def _result(hit: SearchHit) -> Mapping[str, object]:
    return {
        "type": "web_search_result",
        "url": hit.url,
        "title": hit.title,
        "page_age": hit.age or None,
        "encrypted_content": hit.text,
    }


def _code(error: GatewayError) -> str:
    if isinstance(error, UpstreamLimitedError):
        return "too_many_requests"
    return "invalid_input" if isinstance(error, UpstreamRejectedError) else "unavailable"
