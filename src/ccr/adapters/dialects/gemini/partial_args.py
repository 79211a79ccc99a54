"""Arguments of a call that come piece by piece (Vertex, ``streamFunctionCallArguments``), gathered into one object.

Each piece names a place by a JSON path (``$.a.b[0]``) and gives a value for it; texts grow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from ccr.adapters.wire import json

__all__ = ["PartialArgs"]

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,6})\]|\[["']([^"']*)["']\]""")
_VALUES = ("stringValue", "numberValue", "boolValue")
_LONGEST = 10_000
"""Items of a list; a path may name any number."""


class PartialArgs:
    """The arguments of one call."""

    def __init__(self) -> None:
        self._args: dict[str, Any] = {}

    def take(self, pieces: Sequence[Mapping[str, object]]) -> None:
        """Add pieces; one that cannot be placed is left out."""
        for piece in pieces:
            steps = _steps(piece.get("jsonPath"))
            if steps:
                self._put(steps, piece)

    def whole(self) -> str:
        """Return the arguments as JSON text."""
        return json.encode_wire(self._args).decode()

    def _put(self, steps: list[str | int], piece: Mapping[str, object]) -> None:
        place: Any = self._args
        for step, following in pairwise(steps):
            inner = _at(place, step)
            if not isinstance(inner, list if isinstance(following, int) else dict):
                inner = [] if isinstance(following, int) else {}
                _set(place, step, inner)
            place = inner
        value = next((piece[name] for name in _VALUES if piece.get(name) is not None), None)
        known = _at(place, steps[-1])
        if isinstance(known, str) and isinstance(value, str):
            value = known + value
        if value is not None or "nullValue" in piece:
            _set(place, steps[-1], _whole_number(value))


def _steps(path: object) -> list[str | int]:
    if not isinstance(path, str) or not path.startswith("$"):
        return []
    found = list(_STEP.finditer(path, 1))
    if not found or found[0].start() != 1 or found[-1].end() != len(path) or found[0][2]:
        return []
    return [int(one[2]) if one[2] else one[1] or one[3] or "" for one in found]


def _at(place: Any, step: str | int) -> Any:
    if isinstance(step, int):
        return place[step] if step < len(place) else None
    return place.get(step)


def _set(place: Any, step: str | int, value: object) -> None:
    if isinstance(step, int):
        step = min(step, _LONGEST)
        place.extend([None] * (step + 1 - len(place)))
    place[step] = value


def _whole_number(value: object) -> object:
    """Protobuf has doubles only."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
