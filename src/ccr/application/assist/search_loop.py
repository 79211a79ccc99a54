"""The rounds of a search: the model asks, an engine answers, the model goes on, and the client sees one reply."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.assist.search_terms import NAME
from ccr.application.assist.searcher import Asked
from ccr.application.exchange.live import EventReply
from ccr.domain.conversation import (
    Role,
    ServerToolCall,
    ServerToolResult,
    Text,
    ToolResult,
    Turn,
)
from ccr.domain.errors import GatewayError
from ccr.domain.reply import StopReason
from ccr.domain.splice import Splice
from ccr.domain.stream import MessageStop, StreamFailed
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.application.assist.search_terms import SearchTerms
    from ccr.application.assist.searcher import Finder, Found
    from ccr.application.call import Headers
    from ccr.application.exchange.seams import Round
    from ccr.application.ports.system import NewId
    from ccr.application.ports.upstream import UpstreamResponse
    from ccr.domain.conversation import ContentBlock, Conversation
    from ccr.domain.repair import Repair
    from ccr.domain.stream import StreamEvent

__all__ = ["SearchLoop", "looped"]

_KIND = "web_search_tool_result"
_GOES_ON = frozenset({StopReason.TOOL_USE, StopReason.END_TURN, StopReason.STOP_SEQUENCE})
"""Reasons after which calls are whole; a reply that was cut short or refused ends as it is."""
_LAST_BYTES = 1.0
"""Seconds that a provider gets to close the stream of a round that has ended; then its connection is closed."""


@define(eq=False)
class _Search:
    """One search of a round under way."""

    id: str
    asked: Asked
    answer: asyncio.Task[Found]
    shown: bool = False


class _Still:
    """Nobody to tell that a round goes forward: the reply that the loop makes is watched instead."""

    def progress(self) -> None:
        """Do nothing."""


_STILL = _Still()


@define(eq=False)
class SearchLoop:
    """A :class:`ccr.application.exchange.live.Source`, and the ``UpstreamResponse`` of whatever round is open.

    ``status`` and ``headers`` are the first round's.
    """

    ask: Round
    reply: EventReply
    terms: SearchTerms
    searcher: Finder
    new_id: NewId
    status: int
    headers: Headers
    _splice: Splice = field(init=False)
    _said: Conversation = field(init=False)
    _searches: deque[_Search] = field(factory=deque, init=False)
    _answered: list[tuple[_Search, Found]] = field(factory=list, init=False)
    _used: int = field(default=0, init=False)
    _insists: bool = field(init=False)
    _exhausted: bool = field(default=False, init=False)
    _between: bool = field(default=False, init=False)
    _over: bool = field(default=False, init=False)
    _mended: tuple[Repair, ...] = field(default=(), init=False)

    def __attrs_post_init__(self) -> None:
        self._splice = Splice(self.terms.name)
        self._insists = self.terms.insists
        self._said = self.terms.first

    @property
    def repairs(self) -> tuple[Repair, ...]:
        """What was mended in all rounds."""
        return (*self._mended, *self.reply.repairs)

    # ------------------------------------------------------------------------------------- the source

    async def batch(self) -> Sequence[StreamEvent] | None:
        """Read once from the round, or do one step of a search; what fails between the rounds fails the reply."""
        if self._over:
            return None
        try:
            events = await self._step()
        except GatewayError as error:
            events = [StreamFailed(error)]
        self._over = bool(events) and isinstance(events[-1], MessageStop | StreamFailed)
        return events

    async def _step(self) -> list[StreamEvent]:
        if self._searches:
            return await self._searched()
        if self._between:
            await self._ask_again()
        events = self._splice.feed(await self.reply.events(_STILL))
        return events if self._splice.stop is None else events + self._round_over(self._splice.stop)

    def _round_over(self, stop: MessageStop) -> list[StreamEvent]:
        """Begin the searches that the round asked for; without any it was the last."""
        calls = self._splice.calls
        if stop.reason in _GOES_ON and not self._exhausted:
            if calls:
                self._searches.extend(self._begun(self.searcher.read(call)) for call in calls)
                return []
            if self._insists and not self._splice.others:
                self._searches.append(self._begun(Asked(None, self.terms.query)))
                return []
        is_nobodys = stop.reason is StopReason.TOOL_USE and calls and not self._splice.others
        return self._splice.end(StopReason.END_TURN if is_nobodys else None)

    def _begun(self, asked: Asked) -> _Search:
        self._insists = False
        self._used += 1
        if self._used > self.searcher.most:
            self._exhausted = True
            answer = self.searcher.refuse()
        else:
            answer = self.searcher.answer(asked)
        task = asyncio.get_running_loop().create_task(answer)
        return _Search(f"ws_{self.new_id()}", asked, task)

    async def _searched(self) -> list[StreamEvent]:
        """Show the next search, then what it gave."""
        search = self._searches[0]
        if not search.shown:
            search.shown = True
            asked = Json(self.searcher.codec.encode({"query": search.asked.query}))
            return self._splice.insert(ServerToolCall(search.id, NAME, asked))
        answer = await search.answer
        self._searches.popleft()
        self._answered.append((search, answer))
        if not answer.code:
            self._splice.count(1)
        events = self._splice.insert(ServerToolResult(search.id, _KIND, answer.content))
        if self._searches:
            return events
        if self._splice.others:  # the client's turn: it runs its tools and comes back
            return events + self._splice.end()
        self._said = self._continued()
        self._between = True
        return events

    # -------------------------------------------------------------------------------------- the rounds

    def _continued(self) -> Conversation:
        """Return what is said in the next round."""
        spoken = Turn(Role.ASSISTANT, self._splice.blocks)
        results: tuple[ContentBlock, ...] = tuple(
            ToolResult(search.asked.call.id, (Text(answer.text),), is_error=bool(answer.code), plain=True)
            for search, answer in self._answered
            if search.asked.call is not None
        )
        if not results:  # the search was ours: this model does not call tools
            _, answer = self._answered[0]
            results = (Text(f"{answer.text}\n\nAnswer from these results, and name their addresses."),)
        self._answered.clear()
        turns = (*self._said.turns, *((spoken,) if spoken.blocks else ()), Turn(Role.USER, results))
        said = self.terms.later(evolve(self._said, turns=turns))
        return self.terms.last(said) if self._exhausted else said

    async def _ask_again(self) -> None:
        await _ended(self.reply.response)
        self._between = False
        self._splice.turn()
        self._mended = self.repairs
        self.reply = await self.ask(self._said)

    # ------------------------------------------------------------------------------------ the response

    async def chunk(self) -> bytes:
        """Return the next piece of the round's own body: what follows its end."""
        return await self.reply.response.chunk()

    async def read(self, limit: int) -> bytes:
        """Return the rest of the round's own body."""
        return await self.reply.response.read(limit)

    async def aclose(self) -> None:
        """Close the round that is open, and give up the searches under way."""
        self._over = True
        tasks = {search.answer for search in self._searches if not search.answer.done()}
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        await self.reply.response.aclose()


async def looped(ask: Round, terms: SearchTerms, searcher: Finder, new_id: NewId) -> EventReply:
    """Open the first round, and return the reply that all rounds make. Raises GatewayError."""
    first = await ask(terms.first)
    head = first.response
    loop = SearchLoop(ask, first, terms, searcher, new_id, head.status, head.headers)
    return EventReply(loop, loop, ())


async def _ended(response: UpstreamResponse) -> None:
    """Read the end of a round, so that its connection can be used again for the next."""
    try:
        async with asyncio.timeout(_LAST_BYTES):
            while await response.chunk():
                pass
    except (GatewayError, TimeoutError):
        pass
    finally:
        await response.aclose()
