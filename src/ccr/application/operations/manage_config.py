"""Loads the configuration, and swaps it when it changes: the old one stays until a valid new one is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.application.contained import Faults, contained
from ccr.domain.errors import ConfigError

if TYPE_CHECKING:
    from ccr.application.catalog.compile import Compiler
    from ccr.application.catalog.holder import Catalog, CatalogHolder
    from ccr.application.ports.config import ConfigStore, Loaded

__all__ = ["ManageConfig"]


@define(eq=False)
class ManageConfig:
    """``applied`` is told every catalog that comes into force; ``refused`` every configuration that does not."""

    store: ConfigStore
    compiler: Compiler
    holder: CatalogHolder
    applied: Callable[[Catalog], None]
    refused: Callable[[ConfigError], None]
    faults: Faults = field(factory=Faults)
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def load(self) -> Catalog:
        """Load and put in force. Raises ConfigError, and then changes nothing."""
        async with self._lock:
            return await self._take(await self.store.load())

    async def reload(self, *, only_if_changed: bool = False) -> bool:
        """Load again, with the files that it names; False = the new one was refused and the old one stays.

        ``only_if_changed``: an unchanged text in force is left alone (editors touch files without changing them).
        """
        try:
            async with self._lock:
                loaded = await self.store.load()
                same = self.holder.loaded and loaded.revision == self.holder.current.revision
                if not (only_if_changed and same and not self.holder.last_error):
                    await self._take(loaded)
        except ConfigError as error:
            self.holder.last_error = str(error)
            self.refused(error)
            return False
        return True

    async def follow(self) -> None:
        """Reload whenever the source has changed, until cancelled."""
        async for _ in self.store.changes():
            with contained("reload", self.faults) as outcome:
                await self.reload(only_if_changed=True)
            if (
                outcome.error is not None
            ):  # a fault of ours: the configuration in force stays, and the next change counts
                self.holder.last_error = f"it could not be taken: {outcome.because}"

    async def _take(self, loaded: Loaded) -> Catalog:
        try:
            # In a thread: thousands of providers take seconds, and streams go on meanwhile.
            catalog = await asyncio.to_thread(self.compiler, loaded)
        except ConfigError as error:
            raise self.store.place(error) from None
        self.holder.swap(catalog)
        self.applied(catalog)
        return catalog
