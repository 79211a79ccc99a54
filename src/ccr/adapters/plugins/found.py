"""A transformer's class and where it was found; classes of third parties are checked when they come in."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import attrs
from attrs import field, frozen

from ccr.application.ports.transformer import Transformer

__all__ = ["BUILT_IN", "HOOKS", "Found", "checked", "option_names"]

BUILT_IN = "ccr"
HOOKS = ("request", "payload", "stage", "stage_for")
"""What a transformer may do with a request and its reply."""

_ABILITIES = ("profile", "idle", "opens")
_OPTIONS = "options"


@frozen
class Found:
    """``kind`` makes the transformer of its options. ``defaults`` are options given where it is named by its file."""

    name: str
    kind: type[Any]
    origin: str = BUILT_IN
    defaults: Mapping[str, object] = field(factory=dict, hash=False)
    replaces: bool = False


def checked(kind: object) -> str:
    """Return what speaks against a class as a transformer; empty = nothing.

    It is a subclass of Transformer, or any class with a ``name`` and at least one of the hooks.
    """
    if not isinstance(kind, type):
        return f"{kind!r} is not a class"
    name = getattr(kind, "name", None)
    if not isinstance(name, str) or not name.strip():
        return f"{kind.__name__} has no `name`: a text by which `use` calls it"
    if issubclass(kind, Transformer):
        hooks = [
            hook for hook in (*HOOKS, *_ABILITIES) if getattr(kind, hook) is not getattr(Transformer, hook)
        ]
        if not hooks and kind.door is None and not kind.needless:
            return f"{kind.__name__} overrides none of the hooks {', '.join(HOOKS)}"
    else:
        hooks = [hook for hook in HOOKS if hasattr(kind, hook)]
        if not hooks:
            return f"{kind.__name__} has none of the hooks {', '.join(HOOKS)}"
    for hook in hooks:
        if not callable(getattr(kind, hook)) or inspect.iscoroutinefunction(getattr(kind, hook)):
            return f"{kind.__name__}.{hook} is not a plain method (`def`, not `async def`)"
    return ""


def option_names(kind: type[Any]) -> tuple[str, ...] | None:
    """Return the options that a class takes; None = any."""
    if getattr(kind, "open_options", False):
        return None
    if attrs.has(kind):
        return tuple(attribute.alias for attribute in attrs.fields(kind))
    parameters = inspect.signature(kind).parameters.values()
    if [one.name for one in parameters] == [_OPTIONS] or any(
        one.kind is one.VAR_KEYWORD for one in parameters
    ):
        return None
    return tuple(one.name for one in parameters)
