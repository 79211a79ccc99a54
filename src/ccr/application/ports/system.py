"""Time, identity and chance."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

__all__ = ["Clock", "NewId", "Random"]


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """Return the time of day, with UTC as its zone."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


class NewId(Protocol):
    """Makes ids."""

    def __call__(self) -> str:
        """Return an id that nobody has had before."""
        ...


class Random(Protocol):
    """Chance, replaceable by a seed."""

    def random(self) -> float:
        """Return a number in [0, 1)."""
        ...
