"""What is configured, secrets masked, and who said so: for ``ccr config show``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
from attrs import frozen

from ccr.adapters.config.problems import Path, format_path
from ccr.adapters.config.schema import Root, keys_of
from ccr.adapters.config.schema.keys import Kind
from ccr.application.settings import Settings

__all__ = ["Shown", "show"]


@frozen
class Shown:
    """One value by its path in the file; ``origin`` is ``default``, ``file``, ``env:NAME`` or ``file:/path``."""

    path: str
    value: object
    origin: str


def show(settings: Settings) -> tuple[Shown, ...]:
    """Every key that is in effect, in the order of the reference page, then keys that only the file knows."""
    over: dict[Path, object] = {
        ("PORT",): settings.server.port,
        ("PROXY_BYPASS",): list(settings.proxy_bypass),
    }
    return tuple(
        Shown(format_path(path), over.get(path, value), _origin(settings, path))
        for path, value in _walk(settings.raw, Root, ())
    )


def _origin(settings: Settings, path: Path) -> str:
    name = format_path(path)
    found = settings.origins.get(name)
    inside = (
        origin for other, origin in settings.origins.items() if other.startswith((f"{name}.", f"{name}["))
    )
    return found or next(inside, "default")


def _walk(given: Mapping[str, object], cls: type, path: Path) -> Iterator[tuple[Path, object]]:
    known = set()
    for key in keys_of(cls):
        known.add(key.name)
        value = given.get(key.name)
        here: Path = (*path, key.name)
        if key.kind is Kind.OBJECT and key.of is not None and (value is not None or not key.later):
            yield from _walk(value if isinstance(value, Mapping) else {}, key.of, here)
        elif value is not None:
            yield from _given(here, value)
        elif not key.later and not key.required and key.kind is not Kind.OBJECT:
            yield here, _default(cls, key.attribute)
    for name, value in given.items():
        if name not in known:
            yield (*path, name), value


def _given(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    """A list of objects is shown key by key, everything else as one value."""
    if not isinstance(value, list) or not any(isinstance(item, Mapping) for item in value):
        yield path, value
        return
    for index, item in enumerate(value):
        for name, inner in item.items() if isinstance(item, Mapping) else ():
            yield (*path, index, str(name)), inner


def _default(cls: type, attribute: str) -> object:
    default = getattr(attrs.fields_dict(cls)[attribute], "default", None)
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # a class at run time, a function in the stubs
        return {}
    return list(default) if isinstance(default, tuple) else default
