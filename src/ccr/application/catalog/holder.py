"""The catalog in force, swapped in one assignment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.errors import Problem, UnknownModelError, UnsupportedError

if TYPE_CHECKING:
    from ccr.application.catalog.targets import Target
    from ccr.application.ports.dialect import ClientDialect
    from ccr.application.ports.routing import CustomRouter
    from ccr.application.ports.transformer import TransformerRegistry
    from ccr.application.settings import Settings
    from ccr.domain.models import ModelRef
    from ccr.domain.routing.policy import RoutePolicy

__all__ = ["Catalog", "CatalogHolder"]

_MOST_OPEN_TARGETS = 256
"""Targets of providers without a model list that are kept compiled; the names come from clients, so bounded."""


@define(eq=False)
class Catalog:
    """One configuration, compiled. Immutable but for the bounded memory of targets with free model names.

    Attributes:
        targets: every configured model.
        open_providers: makers of targets for providers that take any model name.
        system_prompt: text that replaces Claude Code's own before ``<env>``; empty = none.
        transformers: those that it was compiled with; None in tests that need none.
        unavailable: why a configured provider cannot be called, by name.
    """

    revision: str
    settings: Settings
    policy: RoutePolicy
    targets: Mapping[ModelRef, Target]
    clients: Mapping[str, ClientDialect]
    open_providers: Mapping[str, Callable[[ModelRef], Target]] = field(factory=dict)
    unavailable: Mapping[str, str] = field(factory=dict)
    warnings: tuple[Problem, ...] = ()
    custom_router: CustomRouter | None = None
    system_prompt: str = field(default="", repr=False)
    transformers: TransformerRegistry | None = field(default=None, repr=False)
    _made: OrderedDict[ModelRef, Target] = field(factory=OrderedDict, init=False, repr=False)

    def target(self, ref: ModelRef) -> Target:
        """Return the target. Raises UnknownModelError, or UnsupportedError if its provider cannot be called yet."""
        found = self.targets.get(ref) or self._made.get(ref)
        if found is not None:
            return found
        if ref.provider in self.unavailable:
            raise UnsupportedError(self.unavailable[ref.provider], provider=ref.provider)
        make = self.open_providers.get(ref.provider)
        if make is None or not ref.model:
            raise UnknownModelError(f"no model {ref.model!r} at provider {ref.provider!r}")
        made = self._made[ref] = make(ref)
        if len(self._made) > _MOST_OPEN_TARGETS:
            self._made.popitem(last=False)
        return made


class CatalogHolder:
    """Calls in flight keep the catalog they started with; new ones see ``current``."""

    def __init__(self) -> None:
        self._current: Catalog | None = None
        self.last_error: str = ""
        """Why the newest configuration was not taken; empty = it was."""

    @property
    def loaded(self) -> bool:
        """A catalog is in force."""
        return self._current is not None

    @property
    def current(self) -> Catalog:
        """The catalog in force. Raises RuntimeError before the first one."""
        if self._current is None:
            raise RuntimeError("no configuration has been loaded yet")
        return self._current

    def swap(self, catalog: Catalog) -> None:
        """Put a catalog in force."""
        self._current = catalog
        self.last_error = ""
