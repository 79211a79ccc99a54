"""Which models a caller may ask for."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from attrs import define, frozen

if TYPE_CHECKING:
    from ccr.application.catalog.holder import CatalogHolder
    from ccr.domain.access import Principal

__all__ = ["ListModels", "ModelEntry"]

_MILLION = 1_000_000


@frozen
class ModelEntry:
    """``id`` is what a client sends as ``model``; ``window`` and ``max_output`` in tokens, None = unknown."""

    id: str
    name: str
    owner: str
    window: int | None = None
    max_output: int | None = None


@define(eq=False)
class ListModels:
    """Every configured target by ``provider,model``; models of a million tokens also with the ``[1m]`` suffix, by which
    Claude Code knows that it need not compact early.
    """

    catalog: CatalogHolder

    def __call__(self, principal: Principal) -> tuple[ModelEntry, ...]:
        """Return the entries this caller may use, in the order of the configuration."""
        catalog = self.catalog.current
        entries = []
        for ref, target in catalog.targets.items():
            if principal.models and not _allowed(str(ref), principal.models):
                continue
            profile = target.destination.profile
            window = profile.context_window
            entries.append(
                ModelEntry(
                    str(ref), f"{ref.model} ({ref.provider})", ref.provider, window, profile.max_output
                )
            )
            if window is not None and window >= _MILLION:
                entries.append(
                    ModelEntry(
                        f"{ref}[1m]",
                        f"{ref.model} ({ref.provider}, 1M)",
                        ref.provider,
                        window,
                        profile.max_output,
                    )
                )
        return tuple(entries)


def _allowed(name: str, globs: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, glob) for glob in globs)
