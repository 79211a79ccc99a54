"""Places that are few: who has none waits its turn, for a while."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.facts import RequestClass
from ccr.domain.fairness import FairQueue, Rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ccr.application.call import Call, Disconnect

__all__ = ["Slots", "caller_of", "rank_of", "rank_of_headers"]

_SUBAGENTS = frozenset({RequestClass.SUBAGENT.value, RequestClass.WORKFLOW.value})


@define(eq=False)
class Slots:
    """``limit`` places, None = any number. Bound to one event loop.

    Cancellation at any time loses no place: one that was promised to somebody who no longer waits goes to the next.
    """

    limit: int | None = None
    most_queued: int = 1_000
    used: int = 0
    _queue: FairQueue[asyncio.Future[None]] = field(factory=FairQueue, init=False)

    @property
    def has_room(self) -> bool:
        """Whether somebody who comes now is served at once."""
        return self.limit is None or (self.used < self.limit and not len(self._queue))

    @property
    def queued(self) -> int:
        """Those who wait."""
        return len(self._queue)

    async def take(
        self, caller: str, rank: Rank, patience: float, disconnect: Disconnect | None = None
    ) -> bool:
        """Take a place; False when there was none within ``patience`` seconds, too many wait already, or the client left."""
        if self.has_room:
            self.used += 1
            return True
        if patience <= 0 or len(self._queue) >= self.most_queued:
            return False
        promise: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def step_out() -> None:
            # At once: a promise that nobody waits for must not be in the queue when its turn comes.
            if not promise.done():
                self._queue.remove(caller, rank, promise)
                promise.cancel()

        self._queue.push(caller, rank, promise)
        with self._tidied(promise, step_out, disconnect):
            await asyncio.wait({promise}, timeout=patience)
        return not promise.cancelled()

    @contextmanager
    def _tidied(
        self, promise: asyncio.Future[None], step_out: Callable[[], None], disconnect: Disconnect | None
    ) -> Iterator[None]:
        if disconnect is not None:
            disconnect.tell(step_out)
        try:
            yield
        except BaseException:
            if promise.done() and not promise.cancelled():
                self.give_back()
            raise
        finally:
            step_out()
            if disconnect is not None:
                disconnect.forget(step_out)

    def give_back(self) -> None:
        """Leave a place; the next in turn has it."""
        self.used -= 1
        self.serve()

    def serve(self) -> None:
        """Hand out what is free: after a place came back, or the limit was raised."""
        while len(self._queue) and (self.limit is None or self.used < self.limit):
            self.used += 1
            self._queue.pop().set_result(None)


def caller_of(call: Call) -> str:
    """Return whose turn it is: the credential's; without credentials the session's."""
    principal = call.principal
    if principal.id != "local":
        return principal.id
    return call.headers.get("x-claude-code-session-id", "") or principal.id


def rank_of_headers(call: Call) -> Rank:
    """Return how urgent a call is, as far as its headers tell: nothing else has been read at the gate."""
    kind = call.headers.get("x-claude-code-request-class", "")
    if kind == RequestClass.AUXILIARY.value:
        return Rank.AUXILIARY
    if kind in _SUBAGENTS or "x-claude-code-agent-id" in call.headers:
        return Rank.SUBAGENT
    return Rank.MAIN


def rank_of(scenario: str, *, is_subagent: bool) -> Rank:
    """Return how urgent a request is, now that it is known what it is for."""
    if scenario == "background":
        return Rank.AUXILIARY
    return Rank.SUBAGENT if is_subagent else Rank.MAIN
