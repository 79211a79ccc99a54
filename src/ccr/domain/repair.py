"""Mends a tool call by the tool's own schema, with a fixed list of fixes.

Each fix changes how a thing is written, never what is said, and can be undone by who knows it. What fits the schema is
left alone; what does not fit it afterwards either is left alone too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import TypeAlias

from ccr.domain.schema import Schema, accepts, kinds, options, resolved
from ccr.domain.value import value

__all__ = ["Decode", "Fix", "Repair", "mend", "nearest_name"]

Decode: TypeAlias = Callable[[str], object]
"""Reads JSON text into plain values. Raises ValueError."""


class Fix(Enum):
    """What was done."""

    TOOL_NAME = "tool_name"
    """The tool's name, spelt as it was offered."""
    SYNTAX = "syntax"
    """Nearly JSON became JSON: quotes, commas, Python's words, a fence, the same object twice."""
    BRACKETS = "brackets"
    """Brackets at the end were missing; the reply had not been cut."""
    UNWRAPPED = "unwrapped"
    """JSON inside a string was taken out of it."""
    NAME = "name"
    """A parameter's name, spelt as it is declared."""
    DROPPED = "dropped"
    """An optional parameter was null or empty, which its schema refuses."""
    COERCED = "coerced"
    """A number, boolean or text was written as another of these."""


@value
class Repair:
    """One fix of one call. ``at`` is the parameter (dots between levels); empty = the whole input or the name."""

    tool: str
    fix: Fix
    at: str = ""


_Fixes: TypeAlias = list[tuple[Fix, str]]
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False}
_LONGEST_NUMBER = 30


def mend(given: object, schema: Schema, decode: Decode) -> tuple[object, tuple[tuple[Fix, str], ...]]:
    """Return a value that fits, and what was done to it; the very same value and nothing if none can be had."""
    if accepts(schema, given):
        return given, ()
    fixes: _Fixes = []
    mended = _Mender(schema, decode).mend(schema, given, "", fixes)
    return (mended, tuple(fixes)) if accepts(schema, mended) else (given, ())


def nearest_name(name: str, known: Iterable[str]) -> str | None:
    """Return the one known name that is ``name`` but for case, ``_`` and ``-``; None if there is none, or two."""
    folded = _folded(name)
    found = [one for one in known if _folded(one) == folded]
    return found[0] if len(found) == 1 else None


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


class _Mender:
    def __init__(self, root: Schema, decode: Decode) -> None:
        self._root = root
        self._decode = decode

    def mend(self, schema: object, given: object, at: str, fixes: _Fixes) -> object:
        if not isinstance(schema, Mapping) or accepts(schema, given, self._root):
            return given
        schema = resolved(schema, self._root)
        for option in options(schema):
            tried: _Fixes = []
            mended = self.mend(option, given, at, tried)
            if accepts(option, mended, self._root):
                fixes.extend(tried)
                return mended
        if isinstance(given, Mapping):
            return self._object(schema, given, at, fixes)
        if isinstance(given, list):
            return [self.mend(schema.get("items"), one, f"{at}.{n}", fixes) for n, one in enumerate(given)]
        return self._scalar(schema, given, at, fixes)

    def _object(self, schema: Schema, given: Mapping[str, object], at: str, fixes: _Fixes) -> object:
        declared = schema.get("properties")
        declared = declared if isinstance(declared, Mapping) else {}
        required = schema.get("required") or ()
        mended: dict[str, object] = {}
        for name, inner in given.items():
            known = self._known(name, declared, given, mended)
            place = f"{at}.{known}" if at else known
            if known != name:
                fixes.append((Fix.NAME, place))
            is_empty = _is_empty(inner) and known in declared and known not in required
            if is_empty and not accepts(declared[known], inner, self._root):
                fixes.append((Fix.DROPPED, place))
                continue
            mended[known] = self.mend(declared.get(known), inner, place, fixes)
        return mended

    def _known(
        self, name: str, declared: Schema, given: Mapping[str, object], mended: Mapping[str, object]
    ) -> str:
        if name in declared:
            return name
        free = (one for one in declared if one not in given and one not in mended)
        return nearest_name(name, free) or name

    def _scalar(self, schema: Schema, given: object, at: str, fixes: _Fixes) -> object:
        wanted = kinds(schema)
        if isinstance(given, str):
            read = self._read(given, wanted)
            if read is given:
                return given
            fixes.append((Fix.UNWRAPPED if isinstance(read, Mapping | list) else Fix.COERCED, at))
            return self.mend(schema, read, at, fixes)
        if "string" in wanted and isinstance(given, bool | int | float):
            fixes.append((Fix.COERCED, at))
            return str(given).lower() if isinstance(given, bool) else str(given)
        return given

    def _read(self, text: str, wanted: frozenset[str]) -> object:
        """Return what a text stands for where no text is wanted; the text itself if that is not certain."""
        stripped = text.strip()
        if "boolean" in wanted and stripped.lower() in _WORDS:
            return _WORDS[stripped.lower()]
        number = bool(wanted & {"number", "integer"}) and len(stripped) <= _LONGEST_NUMBER
        opened = {"[": "array", "{": "object"}.get(stripped[:1], "")
        if opened not in wanted and not (number and _NUMBER.fullmatch(stripped)):
            return text
        try:
            return self._decode(stripped)
        except ValueError:
            return text


def _is_empty(given: object) -> bool:
    return given is None or given == ""
