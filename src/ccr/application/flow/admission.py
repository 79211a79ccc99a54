"""The way in: a request that comes in while the gateway drains is refused by its headers alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define

from ccr.domain.errors import DrainingError

if TYPE_CHECKING:
    from ccr.application.tracker import Tracker

__all__ = ["Admission"]

_RETRY_AFTER = 5.0
"""Seconds after which another process is likely to listen on this address."""


@define(eq=False)
class Admission:
    """Knows whether new work is taken."""

    tracker: Tracker
    draining: bool = False

    def enter(self) -> None:
        """Let a request in. Raises DrainingError."""
        if self.draining:
            raise DrainingError(
                "the gateway is about to stop and takes no new requests", retry_after=_RETRY_AFTER
            )
        self.tracker.enter()

    def leave(self) -> None:
        """A request that was let in has ended."""
        self.tracker.leave()

    def drain(self) -> None:
        """Take no new work from now on."""
        self.draining = True

    @property
    def active(self) -> int:
        """Requests that are in."""
        return self.tracker.active
