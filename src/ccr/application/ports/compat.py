"""What was learned of the providers' complaints, kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccr.domain.compat import Amendment, Learned

__all__ = ["LearnedStore"]


class LearnedStore(Protocol):
    """By endpoint and model. The address is that of the endpoint as it is configured; query and login do not count."""

    def known(self, endpoint_url: str, model: str) -> tuple[Amendment, ...]:
        """Return what holds now: what has expired does not. Cheap, asked for every request. Never raises."""
        ...

    async def remember(
        self, endpoint_url: str, model: str, amendment: Amendment, evidence: str
    ) -> Learned | None:
        """Learn that an amendment helped; None if the model has as many as it may have. Never raises."""
        ...

    async def used(self, endpoint_url: str, model: str) -> None:
        """Say that a request went well with what is known. Cheap: written down once an hour at most. Never raises."""
        ...

    async def forget(self, endpoint: str = "", model: str = "", name: str = "") -> int:
        """Forget what all that is given fits; nothing given = everything. Return how many there were. Raises OSError."""
        ...

    def all(self) -> tuple[Learned, ...]:
        """Return everything, expired or not, by endpoint and model."""
        ...
