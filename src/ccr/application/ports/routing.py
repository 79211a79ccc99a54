"""Routing code of the user's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.ports.dialect import ParsedCall

__all__ = ["CustomRouter"]


class CustomRouter(Protocol):
    """A function of the user's that may name a target."""

    async def route(self, call: Call, parsed: ParsedCall, config: Mapping[str, object]) -> str | None:
        """Return ``provider,model`` or None for no opinion. May raise anything; the caller contains it."""
        ...
