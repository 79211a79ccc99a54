"""Ids that nobody has had before, and chance."""

from __future__ import annotations

import os
import random

__all__ = ["RandomIds", "SystemRandom"]


class RandomIds:
    """Ids of 96 random bits behind a prefix: ``req_0f3c...``."""

    __slots__ = ("prefix",)

    def __init__(self, prefix: str = "req_") -> None:
        self.prefix = prefix

    def __call__(self) -> str:
        """Return the next one."""
        return self.prefix + os.urandom(12).hex()


class SystemRandom:
    """Chance; a seed makes it repeatable."""

    __slots__ = ("_source",)

    def __init__(self, seed: int | None = None) -> None:
        self._source = random.Random(seed)

    def random(self) -> float:
        """Return a number in [0, 1)."""
        return self._source.random()
