"""The configuration port: where settings come from and how they are changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

if TYPE_CHECKING:
    from ccr.application.settings import Settings
    from ccr.domain.errors import ConfigError, Problem

__all__ = ["Change", "ConfigStore", "Loaded"]


@frozen
class Loaded:
    """A configuration that can be used, and what was said about it.

    ``revision`` is a short digest of the source text: equal text, equal revision.
    """

    settings: Settings
    warnings: tuple[Problem, ...]
    revision: str


@frozen
class Change:
    """Set (or with ``remove`` delete) the value at ``path``, e.g. ``("Router", "default")`` or ``("Providers", 0)``."""

    path: tuple[str | int, ...]
    value: object = None
    remove: bool = False


class ConfigStore(Protocol):
    """A place that holds the configuration."""

    async def load(self) -> Loaded:
        """Read and check it. Raises ConfigError with every problem at once."""
        ...

    async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
        """Apply changes; comments, unknown keys and ``$VAR`` survive. Nothing is written unless the result is valid.

        Raises ConfigError; with ``expected_revision`` also when somebody else has written since.
        """
        ...

    def place(self, error: ConfigError) -> ConfigError:
        """Return the error with line and column for problems that know only their JSON path. Blocking, on errors only."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever the source may have changed, until the iterator is closed."""
        ...
