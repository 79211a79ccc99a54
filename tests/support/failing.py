"""Health, balance and failover for tests: a clock that stands still, chance that is told."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from attrs import define

from ccr.application.exchange.retry import Failover
from ccr.application.flow.balance import Balance
from ccr.application.flow.health import Health

__all__ = ["StillClock", "balancing", "chance_of", "failing_over"]


@define
class StillClock:
    """Goes on when it is told to."""

    seconds: float = 1000.0

    def now(self) -> datetime:
        """Return the time of day."""
        return datetime.fromtimestamp(self.seconds, UTC)

    def monotonic(self) -> float:
        """Return the seconds."""
        return self.seconds


class chance_of:  # noqa: N801 - reads as a function
    """Gives the numbers it was given, again and again."""

    def __init__(self, numbers: Iterable[float] = (0.5,)) -> None:
        self._numbers = tuple(numbers)
        self._at = -1

    def __call__(self) -> float:
        """Return the next one."""
        self._at += 1
        return self._numbers[self._at % len(self._numbers)]


def balancing(clock: StillClock | None = None, *numbers: float) -> Balance:
    """Return a balance with nothing known yet."""
    clock = clock or StillClock()
    return Balance(Health(clock), clock, chance_of(numbers or (0.5,)))


def failing_over(clock: StillClock | None = None, *numbers: float) -> Failover:
    """Return a failover with nothing known yet."""
    balance = balancing(clock, *numbers)
    return Failover(balance.health, balance, balance.random)
