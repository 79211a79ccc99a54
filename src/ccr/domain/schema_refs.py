"""JSON schemas without references, or without some of their keywords. Pure functions on plain JSON values.

Each is idempotent and leaves its argument as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

__all__ = ["DEEPEST", "inline_refs", "without_keywords"]

_Schema: TypeAlias = Mapping[str, Any]
_Plain: TypeAlias = dict[str, Any]

_ONE = frozenset(
    {
        "items", "additionalProperties", "additionalItems", "not", "if", "then", "else", "contains", "propertyNames",
        "unevaluatedItems", "unevaluatedProperties", "contentSchema",
    }
)  # fmt: skip
_MANY = frozenset({"anyOf", "oneOf", "allOf", "prefixItems", "items"})
_NAMED = frozenset({"properties", "patternProperties", "dependentSchemas", "$defs", "definitions"})
"""Keywords whose value is a schema, a list of them, or schemas by name. What stands anywhere else is data."""

_DEFINITIONS = ("$defs", "definitions")
DEEPEST = 48
"""Levels of a schema that are looked at; what lies deeper accepts everything."""
_MOST = 4000
"""Schemas that references may grow to: each of a chain of doublings is small, all of them together are not."""


def _mapped(schema: _Schema, change: Callable[[Any], Any]) -> _Plain:
    """Return the schema with every schema directly inside it changed."""
    made: _Plain = {}
    for key, found in schema.items():
        if key in _NAMED and isinstance(found, Mapping):
            made[key] = {name: change(one) for name, one in found.items()}
        elif key in _MANY and isinstance(found, list):
            made[key] = [change(one) for one in found]
        elif key in _ONE:
            made[key] = change(found)
        else:
            made[key] = found
    return made


def without_keywords(schema: _Schema, keywords: Collection[str]) -> _Plain:
    """Return the schema without these keywords, wherever they stand; a property of such a name stays."""
    return _without(schema, frozenset(keywords), 0)


def _without(schema: _Schema, keywords: frozenset[str], depth: int) -> _Plain:
    def inner(one: Any) -> Any:
        if not isinstance(one, Mapping):
            return one
        return _without(one, keywords, depth + 1) if depth < DEEPEST else {}

    return _mapped({key: found for key, found in schema.items() if key not in keywords}, inner)


# -------------------------------------------------------------------------------------------- references


def inline_refs(schema: _Schema) -> _Plain:
    """Return the schema with every ``$ref`` written out and no definitions left.

    A reference to what it stands in becomes an object of any kind (or anything); one that leads nowhere accepts everything.
    """
    return _Inliner(schema).inlined(schema, ("#",), 0)


class _Inliner:
    def __init__(self, root: _Schema) -> None:
        self._root = root
        self._left = _MOST

    def inlined(self, schema: _Schema, inside: tuple[str, ...], depth: int) -> _Plain:
        schema, inside = self._followed(schema, inside)
        self._left -= 1

        def inner(one: Any) -> Any:
            if not isinstance(one, Mapping):
                return one
            return self.inlined(one, inside, depth + 1) if depth < DEEPEST else {}

        return _mapped({key: found for key, found in schema.items() if key not in _DEFINITIONS}, inner)

    def _followed(self, schema: _Schema, inside: tuple[str, ...]) -> tuple[_Schema, tuple[str, ...]]:
        """What stands beside a reference (a description, mostly) wins over what it leads to."""
        while "$ref" in schema:
            reference = schema["$ref"]
            beside = {key: found for key, found in schema.items() if key != "$ref"}
            target = self._target(reference)
            if reference in inside or self._left <= 0:
                target = {"type": "object"} if _is_object(target) else {}
            else:
                inside = (*inside, reference) if isinstance(reference, str) else inside
            schema = {**target, **beside}
        return schema, inside

    def _target(self, reference: object) -> _Schema:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return {}
        found: object = self._root
        for step in reference[1:].split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) else {}


def _is_object(schema: _Schema) -> bool:
    return schema.get("type") == "object" or "properties" in schema
