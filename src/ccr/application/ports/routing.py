"""Routing of the user's own: code, and router files of projects and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Protocol

from attrs import field, frozen

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.ports.dialect import ParsedCall

__all__ = ["CustomRouter", "SessionRouter", "SessionRouters", "refusal"]

_SCRIPTS = frozenset({".js", ".cjs", ".mjs", ".ts"})


def refusal(path: str) -> str:
    """Say why a file cannot be a custom router, and what to do; empty = it may be one."""
    if PurePath(path).suffix.lower() not in _SCRIPTS:
        return ""
    return (
        "a custom router is a Python file now: rewrite it as `async def route(request, config)` that returns "
        '"provider,model" or None (docs/how-to/port-a-custom-router.md shows the ancestor\'s example side by side)'
    )


class CustomRouter(Protocol):
    """A function of the user's that may name a target."""

    async def route(self, call: Call, parsed: ParsedCall, config: Mapping[str, object]) -> str | None:
        """Return ``provider,model`` or None for no opinion. May raise anything; the caller contains it."""
        ...


@frozen
class SessionRouter:
    """The ``Router`` object of a router file, as plain JSON values. ``origin`` is ``session`` or ``project``."""

    origin: str
    router: Mapping[str, object] = field(hash=False)


class SessionRouters(Protocol):
    """Knows router files of projects and sessions."""

    def may_find(self, session: str) -> bool:
        """Whether it is worth asking: quick, and without waiting."""
        ...

    async def find(self, session: str) -> SessionRouter | None:
        """Return the narrowest router of a session; None if there is none. Raises ValueError on one that is broken."""
        ...
