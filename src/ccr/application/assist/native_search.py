"""Web search that a provider runs itself, but asks its caller for leave to: Kimi's ``$web_search``.

The model calls a function that nobody has. Whoever asked gives the arguments back as they are, and the provider searches
while it reads them. Claude Code would run no such function, so we give the leave, and the client sees a search.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from attrs import define, frozen

from ccr.application.assist.search_loop import looped
from ccr.application.assist.search_terms import MOST, SearchTerms, hosted_search
from ccr.application.assist.searcher import Asked, Found, refusal
from ccr.domain.errors import InternalError
from ccr.domain.fidelity import Loss
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.exchange.job import Job
    from ccr.application.exchange.live import EventReply
    from ccr.application.exchange.seams import Round
    from ccr.application.ports.payload import JsonCodec
    from ccr.application.ports.system import NewId
    from ccr.domain.conversation import Conversation, ToolCall

__all__ = ["NativeSearchInterceptor"]

_NO_PAGES = Json(b"[]")
"""The provider does not tell which pages it read."""


@define(eq=False)
class NativeSearchInterceptor:
    """:class:`ccr.application.exchange.seams.Interceptor`."""

    emulates: ClassVar[Loss] = Loss("web_search", "without results")

    codec: JsonCodec
    new_id: NewId

    def wants(self, job: Job, target: Target, conversation: Conversation) -> bool:
        """Whether the request brings web search, and the provider asks before it searches.

        An exact route is not for this: which pages were read gets lost.
        """
        return (
            bool(target.destination.search_call)
            and not job.decision.exact
            and hosted_search(conversation) is not None
        )

    async def open(
        self, job: Job, target: Target, conversation: Conversation, round_: Round
    ) -> tuple[EventReply, tuple[Loss, ...]]:
        """Open the first round. Raises GatewayError."""
        hosted = hosted_search(conversation)
        if hosted is None:
            raise InternalError("there is nothing to search")
        terms = SearchTerms.native(conversation, hosted, target.destination.search_call)
        most = min(terms.options.max_uses or job.catalog.settings.search.max_uses, MOST)
        leave = _Leave(self.codec, most, terms.query)
        return await looped(round_, terms, leave, self.new_id), (self.emulates,)


@frozen(eq=False)
class _Leave:
    """A :class:`ccr.application.assist.searcher.Finder` that finds nothing itself. ``query`` = the user's own words."""

    codec: JsonCodec
    most: int
    query: str

    def read(self, call: ToolCall) -> Asked:
        """Return what the call looks for, else what the user asked: it names a search by a number of its own."""
        try:
            given = self.codec.decode(_text(call).encode())
        except ValueError:
            given = None
        query = given.get("query") if isinstance(given, dict) else None
        return Asked(call, query if isinstance(query, str) and query else self.query)

    async def answer(self, asked: Asked) -> Found:
        """Give the arguments back, byte for byte."""
        return Found(_NO_PAGES, _text(asked.call) if asked.call is not None else "")

    async def refuse(self) -> Found:
        """Answer a search that is one too many."""
        return refusal(self.codec)


def _text(call: ToolCall) -> str:
    return call.input.data.decode() if isinstance(call.input, Json) else call.input
