"""The way in: a request that comes in while the gateway drains or is full is refused by its headers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.flow.queue import Slots, caller_of, rank_of_headers
from ccr.domain.errors import ClientGoneError, DrainingError, OverloadedError

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.settings import LimitSettings
    from ccr.application.tracker import Tracker

__all__ = ["Admission"]

_RETRY_AFTER = 5.0
"""Seconds after which another process is likely to listen on this address."""
_FULL_RETRY_AFTER = 2.0
"""Seconds after which one of thousands is likely to have ended."""


@define(eq=False)
class Admission:
    """Knows whether new work is taken. ``shed``: requests refused for want of room, since the start."""

    tracker: Tracker
    draining: bool = False
    patience: float = 0.05
    slots: Slots = field(factory=lambda: Slots(2_000))
    shed: int = 0

    def configure(self, limits: LimitSettings) -> None:
        """Take over what is configured."""
        self.slots.limit, self.slots.most_queued = limits.max_in_flight, limits.max_queued
        self.patience = limits.queue
        self.slots.serve()

    async def enter(self, call: Call) -> None:
        """Let a request in, after a wait if need be.

        Raises DrainingError, OverloadedError, and while it waits what reading its body may raise.
        """
        self._not_draining()
        if self.slots.has_room:
            self.slots.used += 1
        else:
            await self._queued(call)
        self.tracker.enter()

    async def _queued(self, call: Call) -> None:
        if self.patience > 0 and self.slots.queued < self.slots.most_queued:
            # Only behind its body does a client's leaving show.
            await call.read()
        taken = await self.slots.take(caller_of(call), rank_of_headers(call), self.patience, call.disconnect)
        if not taken:
            self._still_there(call)
            self.shed += 1
            raise OverloadedError(
                f"the gateway serves {self.slots.used} requests at once and takes no more",
                retry_after=_FULL_RETRY_AFTER,
            )
        try:
            self._still_wanted(call)
        except BaseException:
            self.slots.give_back()
            raise

    def _still_wanted(self, call: Call) -> None:
        self._still_there(call)
        self._not_draining()

    def _still_there(self, call: Call) -> None:
        if call.disconnect.gone:
            raise ClientGoneError("the client left while it waited for its turn")

    def _not_draining(self) -> None:
        if self.draining:
            raise DrainingError(
                "the gateway is about to stop and takes no new requests", retry_after=_RETRY_AFTER
            )

    def leave(self) -> None:
        """A request that was let in has ended."""
        self.slots.give_back()
        self.tracker.leave()

    def drain(self) -> None:
        """Take no new work from now on."""
        self.draining = True

    @property
    def active(self) -> int:
        """Requests that are in."""
        return self.tracker.active
