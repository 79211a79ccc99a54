"""The ``@value`` decorator that every domain class wears, and ``evolve``, which makes another of one.

A type checker sees ``attrs.frozen``. At run time the class is merely hashable, because a frozen ``__init__``
costs twice as much (223 ns against 100 ns, measured) and values are built by the thousand on the data path.
``python -X dev``, which is how the tests run, freezes for real, so a mutation cannot slip in.

``evolve`` is ``attrs.evolve`` at a fifth of its price: what attrs finds out at each call is remembered by class.
"""

from __future__ import annotations

import sys
from functools import cache, partial
from operator import attrgetter
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from attrs import evolve
    from attrs import frozen as value
else:
    value = attrs.frozen if sys.flags.dev_mode else partial(attrs.define, unsafe_hash=True)

    def evolve(instance, /, **changes):
        """Return a copy with other values in some fields. Raises TypeError for a field that there is not."""
        read, places = _layout(type(instance))
        if read is None:
            return attrs.evolve(instance, **changes)
        values = list(read(instance))
        for name, changed in changes.items():
            if name not in places:
                raise TypeError(f"{type(instance).__name__} has no field {name!r}")
            values[places[name]] = changed
        return type(instance)(*values)


__all__ = ["evolve", "value"]


@cache
def _layout(kind: type) -> tuple[Callable[[Any], tuple[Any, ...]] | None, Mapping[str, int]]:
    """Return what reads all arguments of a class, and where each stands; None for one that takes some by name only."""
    fields = [field for field in attrs.fields(kind) if field.init]
    if len(fields) < 2 or any(field.kw_only for field in fields):
        return None, {}
    aliases = {field.alias or field.name: place for place, field in enumerate(fields)}
    return attrgetter(*(field.name for field in fields)), aliases
