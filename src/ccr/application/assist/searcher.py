"""Answers the searches of a model by a search engine; a search that fails is an answer too."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

from ccr.application.assist.search_terms import fits, told
from ccr.domain.conversation import SearchOptions, ToolCall
from ccr.domain.errors import GatewayError, UpstreamLimitedError, UpstreamRejectedError
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.ports.payload import JsonCodec
    from ccr.application.ports.search import SearchEngine, SearchHit

__all__ = ["Asked", "Finder", "Found", "Searcher", "refusal"]


@frozen
class Asked:
    """What to look for. ``call`` = the model's own; None = we ask in its place."""

    call: ToolCall | None
    query: str
    wish: SearchOptions = field(factory=SearchOptions)


@frozen
class Found:
    """What a search gave: for the client, and in words for the model. ``code`` empty = it went well."""

    content: Json
    text: str
    code: str = ""


class Finder(Protocol):
    """Answers the calls of a search loop. ``most`` = searches of one reply; ``codec`` writes what the client sees."""

    @property
    def most(self) -> int:
        """Searches of one reply."""
        ...

    @property
    def codec(self) -> JsonCodec:
        """Writes what the client sees."""
        ...

    def read(self, call: ToolCall) -> Asked:
        """Return what a call asks for."""
        ...

    async def answer(self, asked: Asked) -> Found:
        """Return what was found; a failure is an answer too: the model goes on without."""
        ...

    async def refuse(self) -> Found:
        """Answer a search that is one too many."""
        ...


@frozen(eq=False)
class Searcher:
    """A :class:`Finder` that asks an engine."""

    engine: SearchEngine
    codec: JsonCodec
    options: SearchOptions
    most: int

    def read(self, call: ToolCall) -> Asked:
        """Return what a call asks for; no query if it cannot be read."""
        try:
            given = self.codec.decode(
                call.input.data if isinstance(call.input, Json) else call.input.encode()
            )
        except ValueError:
            return Asked(call, "")
        if not isinstance(given, dict) or not isinstance(given.get("query"), str):
            return Asked(call, "")
        wish = SearchOptions(
            allowed_domains=_texts(given.get("allowed_domains")),
            blocked_domains=_texts(given.get("blocked_domains")),
        )
        return Asked(call, " ".join(given["query"].split()), wish)

    async def answer(self, asked: Asked) -> Found:
        """Search. A failure is an answer too: the model goes on without."""
        query, wish = asked.query, asked.wish
        if not query:
            return self._failed("invalid_input", "The search needs a query.")
        if len(query) > self.engine.longest:
            return self._failed(
                "query_too_long", f"The query is longer than {self.engine.longest} characters."
            )
        mine = self.options
        options = evolve(
            mine,
            allowed_domains=mine.allowed_domains or wish.allowed_domains,
            blocked_domains=(*mine.blocked_domains, *wish.blocked_domains),
        )
        try:
            hits = fits(await self.engine.search(query, options), mine, wish)
        except GatewayError as error:
            return self._failed(_code(error), f"The search failed: {error.message}")
        return Found(Json(self.codec.encode([_result(hit) for hit in hits])), told(query, hits))

    async def refuse(self) -> Found:
        """Answer a search that is one too many."""
        return refusal(self.codec)

    def _failed(self, code: str, text: str) -> Found:
        return _failure(self.codec, code, text)


def refusal(codec: JsonCodec) -> Found:
    """Return the answer to a search that is one too many."""
    return _failure(codec, "max_uses_exceeded", "There are no searches left: answer with what you know.")


def _failure(codec: JsonCodec, code: str, text: str) -> Found:
    error = {"type": "web_search_tool_result_error", "error_code": code}
    return Found(Json(codec.encode(error)), text, code)


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
