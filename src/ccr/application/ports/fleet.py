"""All workers of this gateway as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

__all__ = ["Fleet"]


class Fleet(Protocol):
    """Asks and commands every worker, this one included."""

    async def gather(self, question: str) -> Sequence[Mapping[str, object]]:
        """Ask every worker (``status``); answers are plain JSON values, one a worker that answered in time."""
        ...

    async def tell(self, command: str, **arguments: object) -> None:
        """Command every worker (``drain``, ``reload``)."""
        ...
