"""Who presents a credential."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ccr.domain.value import value

if TYPE_CHECKING:
    from ccr.domain.access import Principal

__all__ = ["Identity", "Presented"]


@value(repr=False)
class Presented:
    """What the caller showed: the bearer token and the ``x-api-key``, each None if absent."""

    bearer: str | None
    api_key: str | None


class Identity(Protocol):
    """Knows callers."""

    async def verify(self, presented: Presented) -> Principal | None:
        """Return who it is: either credential suffices; two valid ones of different callers are None. Constant time."""
        ...
