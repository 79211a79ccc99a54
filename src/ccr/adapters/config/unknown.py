"""Keys that nobody knows, and keys that are known but not yet in effect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ccr.adapters.config.problems import Path, Problems, nearest
from ccr.adapters.config.schema.keys import Key, Kind, keys_of

__all__ = ["look_for_unknown"]

_NOTHING: tuple[object, ...] = (None, False, "", [], {})


def look_for_unknown(
    value: object, cls: type, problems: Problems, *, strict: bool, path: Path = (), later: bool = False
) -> None:
    """Warn about unknown keys (``strict``: errors) and about known ones without effect, at any depth."""
    if not isinstance(value, Mapping):
        return
    known = {key.name: key for key in keys_of(cls)}
    for name, item in value.items():
        key = known.get(name)
        if key is None:
            near = nearest(name, known)
            hint = f"did you mean {near}?" if near else ""
            severity = "error" if strict else "warning"
            problems.add((*path, name), f"unknown key {name!r}", hint, key=True, severity=severity)
            continue
        if key.later and not later and not any(item is nothing or item == nothing for nothing in _NOTHING):
            problems.warn((*path, name), f"{name} is known, but not yet in effect", key=True)
        for sub, inner in _inside(key, item):
            if key.of is not None:
                look_for_unknown(
                    inner, key.of, problems, strict=strict, path=(*path, name, *sub), later=later or key.later
                )


def _inside(key: Key, value: object) -> Iterator[tuple[Path, object]]:
    """The objects of a known class in a value."""
    if key.kind is Kind.OBJECT:
        yield (), value
    elif key.kind is Kind.LIST and isinstance(value, list):
        yield from (((index,), item) for index, item in enumerate(value))
    elif key.kind is Kind.MAP and isinstance(value, Mapping):
        yield from (((name,), item) for name, item in value.items())
