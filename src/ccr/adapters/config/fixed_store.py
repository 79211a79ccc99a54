"""A configuration that a program made itself: settings by hand, or plain values in the shape of the file."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence

from attrs import frozen

from ccr.adapters.config.load import load
from ccr.adapters.wire import json
from ccr.application.ports.config import Change, Loaded
from ccr.application.settings import Settings
from ccr.domain.errors import ConfigError, Problem

__all__ = ["FixedStore", "loaded_from"]

_NAME = "<settings>"


def loaded_from(given: Settings | Mapping[str, object], environ: Mapping[str, str]) -> Loaded:
    """Check what the program gave. Raises ConfigError; positions are those of its JSON text."""
    if isinstance(given, Settings):
        revision = hashlib.sha256(repr(given).encode()).hexdigest()[:12]
        return Loaded(given, (), revision)
    try:
        text = json.encode(dict(given)).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ConfigError([Problem(_NAME, 0, 0, "", f"is not made of plain JSON values: {error}")]) from error
    return load(text, file=_NAME, environ=environ)


@frozen
class FixedStore:
    """A ConfigStore that never changes."""

    loaded: Loaded

    async def load(self) -> Loaded:
        """Return it."""
        return self.loaded

    async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
        """Refuse: whoever made the settings changes them. Raises ConfigError."""
        del expected_revision
        where = ".".join(map(str, changes[0].path)) if changes else ""
        raise ConfigError(
            [Problem(_NAME, 0, 0, where, "this configuration belongs to the embedding program")]
        )

    def place(self, error: ConfigError) -> ConfigError:
        """Return it: there is no text to point into."""
        return error

    async def changes(self) -> AsyncIterator[None]:
        """Never yield."""
        await asyncio.Event().wait()
        yield
