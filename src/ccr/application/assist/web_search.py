"""Web search for models whose provider has none: an engine of our own answers, the client sees a provider's search."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from attrs import define

from ccr.application.assist.search_loop import looped
from ccr.application.assist.search_terms import MOST, SearchTerms, hosted_search
from ccr.application.assist.searcher import Searcher
from ccr.domain.errors import InternalError
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import EventReply
    from ccr.application.exchange.seams import Round
    from ccr.application.ports.payload import JsonCodec
    from ccr.application.ports.search import SearchEngine
    from ccr.application.ports.system import NewId
    from ccr.application.settings import SearchSettings
    from ccr.domain.conversation import Conversation

__all__ = ["SearchInterceptor"]


@define(eq=False)
class SearchInterceptor:
    """:class:`ccr.application.exchange.seams.Interceptor`.

    ``engines`` makes the engine of a configuration, None if there is none.
    """

    emulates: ClassVar[Loss] = Loss("web_search", "emulated")

    engines: Callable[[SearchSettings], SearchEngine | None]
    codec: JsonCodec
    new_id: NewId

    def wants(self, job: Job, target: Target, conversation: Conversation) -> bool:
        """Whether the request brings web search, the provider has none, we have an engine, and emulation will do."""
        destination = target.destination
        return (
            not job.decision.exact
            and not destination.searches
            and hosted_search(conversation) is not None
            and self.engines(job.catalog.settings.search) is not None
        )

    async def open(
        self, job: Job, target: Target, conversation: Conversation, round_: Round
    ) -> tuple[EventReply, tuple[Loss, ...]]:
        """Open the first round. Raises GatewayError."""
        del target
        settings = job.catalog.settings.search
        hosted, engine = hosted_search(conversation), self.engines(settings)
        if hosted is None or engine is None:
            raise InternalError("there is nothing to search, or nobody who does")
        terms = SearchTerms.of(conversation, hosted)
        terms = evolve(terms, query=terms.query[: engine.longest])
        most = min(terms.options.max_uses or settings.max_uses, MOST)
        searcher = Searcher(engine, self.codec, terms.options, most)
        return await looped(round_, terms, searcher, self.new_id), (self.emulates,)
