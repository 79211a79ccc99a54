"""Who is served where: a session's agent stays with one target and one key, so that prompt caches hit."""

from __future__ import annotations

from collections import OrderedDict

from attrs import define, field

from ccr.domain.models import ModelRef
from ccr.domain.value import value

__all__ = ["Pin", "Pins", "Who"]


@value
class Who:
    """Subagents share their parent's session id, so the agent counts too (user-pains.md P32).

    ``group`` names the choice that is remembered: a session uses several routes, each with targets of its own.
    """

    caller: str
    session: str
    agent: str
    group: str = ""


@value
class Pin:
    """The target, the key's id, and when it was last used (seconds)."""

    ref: ModelRef
    key: str
    at: float


@define(eq=False)
class Pins:
    """Bounded memory of pins; the longest unused goes first. Not thread-safe.

    A pin is left at *safe points* only, at which a prompt cache is worth nothing: a new session (there is none yet),
    after compaction (``drop``), and when the cache has expired (``ttl`` seconds without use).
    """

    ttl: float = 300.0
    most: int = 10_000
    _pins: OrderedDict[Who, Pin] = field(factory=OrderedDict, init=False)

    def __len__(self) -> int:
        return len(self._pins)

    def get(self, who: Who, now: float) -> Pin | None:
        """Return where ``who`` is served, None at a safe point."""
        pin = self._pins.get(who)
        if pin is None:
            return None
        if now - pin.at > self.ttl:
            del self._pins[who]
            return None
        return pin

    def put(self, who: Who, pin: Pin) -> None:
        """Remember where ``who`` was served."""
        self._pins[who] = pin
        self._pins.move_to_end(who)
        if len(self._pins) > self.most:
            self._pins.popitem(last=False)

    def drop(self, caller: str, session: str, agent: str) -> None:
        """A safe point: the conversation was compacted, its cache is gone."""
        for who in [w for w in self._pins if (w.caller, w.session, w.agent) == (caller, session, agent)]:
            del self._pins[who]
