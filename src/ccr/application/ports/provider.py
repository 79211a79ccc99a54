"""Providers as data: who has which endpoints, and what their models can do."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Protocol

from attrs import define, field

from ccr.domain.models import ModelProfile

__all__ = ["Endpoint", "ProviderBook", "ProviderSpec"]


@define(frozen=True)
class Endpoint:
    """One door of a provider. ``is_anthropic``: it is Anthropic's own API, not merely one that speaks like it."""

    dialect: str
    url: str
    hosting: str = "direct"
    is_anthropic: bool = False


@define(frozen=True)
class ProviderSpec:
    """What is known of a provider beyond the configuration. ``profiles`` are by model glob, first match from the most
    specific; ``credential`` is ``bearer``, ``x-api-key`` or ``none``.
    """

    name: str
    hosts: tuple[str, ...] = ()
    credential: str = "bearer"
    credential_env: str = ""
    endpoints: tuple[Endpoint, ...] = ()
    profiles: Mapping[str, ModelProfile] = field(factory=dict, hash=False)

    def profile(self, model: str) -> ModelProfile:
        """Return the profile of a model by its most specific glob."""
        matching = [glob for glob in self.profiles if fnmatchcase(model.lower(), glob.lower())]
        return self.profiles[max(matching, key=len)] if matching else ModelProfile()


class ProviderBook(Protocol):
    """All providers known to this installation."""

    def by_name(self, name: str) -> ProviderSpec | None:
        """Return the provider of that name (case-insensitive)."""
        ...

    def by_url(self, url: str) -> ProviderSpec | None:
        """Recognise a provider by the host of a URL."""
        ...

    def names(self) -> tuple[str, ...]:
        """Names of all known providers."""
        ...
