"""Whether a place can be asked at all: a circuit breaker and a running mean. Machines that are fed the time (seconds)."""

from __future__ import annotations

from collections import deque
from enum import Enum

from attrs import define, field

from ccr.domain.value import value

__all__ = ["Breaker", "BreakerRules", "BreakerState", "Ewma"]

_MOST_FAILURES = 64
"""Failures that are remembered at once: more than any sensible threshold."""


class BreakerState(Enum):
    """``CLOSED``: asked freely. ``OPEN``: not asked. ``HALF_OPEN``: one request at a time finds out."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@value
class BreakerRules:
    """When a breaker opens, and for how long.

    Attributes:
        failures: it opens when failures outnumber successes by so many ...
        window: ... within so many seconds ...
        sessions: ... and they are those of so many different sessions: one session's bad luck is not an outage.
        rest: seconds until the first probe; doubled by each probe that fails, up to ``longest``.
    """

    failures: int = 5
    window: float = 30.0
    sessions: int = 2
    rest: float = 10.0
    longest: float = 120.0


@define(eq=False)
class Breaker:
    """One (endpoint, model). Not thread-safe.

    A probe that neither succeeds nor fails (its client left) must be ``released``, or nobody asks again until
    ``longest`` has passed. What was sent before the circuit opened, and ends late, is no probe: it may say that the place
    works, never that it does not.
    """

    rules: BreakerRules = BreakerRules()
    state: BreakerState = BreakerState.CLOSED
    why: str = ""
    """The sentence of the last failure."""
    since: float = 0.0
    """When the state began."""
    _failures: deque[tuple[float, str]] = field(factory=lambda: deque(maxlen=_MOST_FAILURES), init=False)
    _rest: float = field(default=0.0, init=False)
    _probing: float | None = field(default=None, init=False)

    def wait(self, now: float) -> float:
        """Return the seconds until somebody may ask; 0 = now."""
        if self.state is BreakerState.OPEN:
            return max(0.0, self.since + self._rest - now)
        if self.state is BreakerState.HALF_OPEN and self._probing is not None:
            return max(0.0, self._probing + self.rules.longest - now)
        return 0.0

    def hint(self, now: float) -> float:
        """Return the seconds after which it is worth asking. A probe under way will be heard of long before it is given up."""
        wait = self.wait(now)
        return min(wait, self.rules.rest) if self.state is BreakerState.HALF_OPEN else wait

    def enter(self, now: float) -> bool:
        """Ask for leave to send a request. In a half-open circuit the one who gets it is the probe."""
        if self.state is BreakerState.CLOSED:
            return True
        if self.wait(now) > 0:
            return False
        if self.state is BreakerState.OPEN:
            self.state, self.since = BreakerState.HALF_OPEN, now
        self._probing = now
        return True

    def released(self, began: float) -> None:
        """The probe that began at ``began`` found out nothing: the next one may go."""
        if self._probing == began:
            self._probing = None

    def succeeded(self) -> None:
        """It works: the circuit closes, and each success outweighs one failure."""
        if self.state is not BreakerState.CLOSED:
            self._close()
        elif self._failures:
            self._failures.popleft()

    def failed(self, now: float, session: str, why: str, *, probe: bool = False) -> bool:
        """Count a failure; return whether it opened the circuit. ``probe``: it had leave while the circuit was half open."""
        self.why = why
        if self.state is not BreakerState.CLOSED:
            if self.state is BreakerState.OPEN or not probe:  # sent before it opened
                return False
            self._open(now, min(self._rest * 2, self.rules.longest))
            return True
        self._failures.append((now, session))
        while self._failures[0][0] < now - self.rules.window:
            self._failures.popleft()
        if len(self._failures) < self.rules.failures:
            return False
        if len({session for _, session in self._failures}) < self.rules.sessions:
            return False
        self._open(now, self.rules.rest)
        return True

    def _open(self, now: float, rest: float) -> None:
        self.state, self.since, self._rest, self._probing = BreakerState.OPEN, now, rest, None
        self._failures.clear()

    def _close(self) -> None:
        self.state, self._probing, self._rest = BreakerState.CLOSED, None, 0.0
        self.why = ""
        self._failures.clear()


@define(eq=False)
class Ewma:
    """A running mean in which the newest value weighs ``weight``; None before the first one."""

    weight: float = 0.3
    mean: float | None = None

    def add(self, measured: float) -> None:
        """Take a value in."""
        self.mean = measured if self.mean is None else self.mean + self.weight * (measured - self.mean)
