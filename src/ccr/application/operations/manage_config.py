"""Loads the configuration, and swaps it when it changes: the old one stays until a valid new one is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import define, field

from ccr.domain.errors import ConfigError

if TYPE_CHECKING:
    from ccr.application.catalog.compile import Compiler
    from ccr.application.catalog.holder import Catalog, CatalogHolder
    from ccr.application.ports.config import ConfigStore

__all__ = ["ManageConfig"]


@define(eq=False)
class ManageConfig:
    """``applied`` is told every catalog that comes into force; ``refused`` every configuration that does not."""

    store: ConfigStore
    compiler: Compiler
    holder: CatalogHolder
    applied: Callable[[Catalog], None]
    refused: Callable[[ConfigError], None]
    _lock: asyncio.Lock = field(factory=asyncio.Lock, init=False)

    async def load(self) -> Catalog:
        """Load and put in force. Raises ConfigError, and then changes nothing."""
        async with self._lock:
            loaded = await self.store.load()
            try:
                catalog = self.compiler(loaded)
            except ConfigError as error:
                raise self.store.place(error) from None
            self.holder.swap(catalog)
            self.applied(catalog)
            return catalog

    async def reload(self) -> bool:
        """Load again if the text has changed; False = the new one was refused and the old one stays."""
        try:
            loaded = await self.store.load()
            if (
                self.holder.loaded
                and loaded.revision == self.holder.current.revision
                and not self.holder.last_error
            ):
                return True
            await self.load()
        except ConfigError as error:
            self.holder.last_error = str(error)
            self.refused(error)
            return False
        return True

    async def follow(self) -> None:
        """Reload whenever the source changes, until cancelled."""
        async for _ in self.store.changes():
            await self.reload()
