"""JSON schemas in the words that Gemini's ``parameters`` knows. A pure function on plain JSON values.

It is idempotent, leaves its argument as it is, and widens rather than narrows what a schema accepts where it cannot say the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from ccr.domain.schema_refs import DEEPEST, inline_refs, without_keywords

__all__ = ["inline_refs", "openapi_subset", "without_keywords"]

_Schema: TypeAlias = Mapping[str, Any]
_Plain: TypeAlias = dict[str, Any]

_ANY = "string"
"""The type of what may be anything: Gemini wants a type, and a text can hold every value."""
_COMMON = ("type", "title", "description", "nullable", "default", "example")
_BY_TYPE: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "propertyOrdering", "minProperties", "maxProperties"),
    "array": ("items", "minItems", "maxItems"),
    "string": ("enum", "format", "pattern", "minLength", "maxLength"),
    "number": ("format", "minimum", "maximum"),
    "integer": ("format", "minimum", "maximum"),
    "boolean": (),
}
"""Keywords of ``Schema`` in the Gemini API's reference, November 2026, and the types that each is allowed for."""
_FORMATS: Mapping[str, frozenset[str]] = {
    "string": frozenset({"enum", "date-time"}),
    "number": frozenset({"float", "double"}),
    "integer": frozenset({"int32", "int64"}),
}
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties"),
    "array": ("items", "prefixItems", "minItems", "maxItems"),
    "string": ("pattern", "minLength", "maxLength"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
"""Keywords that tell the type of a schema that names none."""
_OF_PYTHON: Mapping[type, str] = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "number",
    dict: "object",
    list: "array",
}


def openapi_subset(schema: _Schema) -> _Plain:
    """Return the schema in the words that Gemini's ``parameters`` and ``responseSchema`` know.

    References are written out, ``allOf`` merged, ``oneOf`` is ``anyOf``, ``const`` an ``enum`` of one, a type of ``null``
    is ``nullable``; enumerations other than of texts, and what has no word there, go.
    """
    return _subset(inline_refs(schema), 0, at_root=True)


def _subset(schema: Any, depth: int, *, at_root: bool = False) -> _Plain:
    if not isinstance(schema, Mapping) or depth > DEEPEST:
        return {"type": _ANY}
    found = _merged(schema, 0)
    _const(found)
    alternatives = _alternatives(found)
    if alternatives:
        return _any_of(found, alternatives, depth)
    kind = _kind(found, at_root=at_root)
    found["type"] = kind
    if kind == "array":
        found["items"] = _items(found, depth)
    elif kind == "object":
        _properties(found, depth)
    elif kind == "string":
        _texts(found)
    else:
        _bounds(found, 1 if kind == "integer" else 0)
    if found.get("format") not in _FORMATS.get(kind, ()):
        found.pop("format", None)
    if found.get("nullable") is not True:
        found.pop("nullable", None)
    return {key: found[key] for key in (*_COMMON, *_BY_TYPE[kind]) if key in found}


def _merged(schema: _Schema, depth: int) -> _Plain:
    """Return a schema of its own with its ``allOf`` merged into it; what was said first wins."""
    found = {key: one for key, one in schema.items() if key != "allOf"}
    every = schema.get("allOf")
    for one in every if isinstance(every, list) and depth < DEEPEST else ():
        if not isinstance(one, Mapping):
            continue
        other = _merged(one, depth + 1)
        properties = {**_named(other), **_named(found)}
        required = [*_names(found.get("required")), *_names(other.get("required"))]
        found = {**other, **found}
        if properties:
            found["properties"] = properties
        if required:
            found["required"] = list(dict.fromkeys(required))
    return found


def _const(found: _Plain) -> None:
    if "const" in found:
        found["enum"] = [found.pop("const")]
    choices = found.get("enum")
    if not isinstance(choices, list):
        found.pop("enum", None)
        return
    if None in choices:
        found["nullable"] = True
        choices = [one for one in choices if one is not None]
    kinds = {_OF_PYTHON.get(type(one), _ANY) for one in choices}
    if "type" not in found and len(kinds) == 1:
        found["type"] = kinds.pop()
    # Only texts may be enumerated, and none of them may be empty.
    found["enum"] = [one for one in choices if one] if all(isinstance(one, str) for one in choices) else []


def _alternatives(found: _Plain) -> list[Any]:
    """Take the alternatives out of a schema: those of ``anyOf`` and ``oneOf``, or of a list of types."""
    named, one_of, kinds = found.pop("anyOf", None), found.pop("oneOf", None), found.get("type")
    alternatives = named if isinstance(named, list) and named else one_of
    if isinstance(kinds, list):
        found.pop("type")
        alternatives = [{**found, "type": kind} for kind in kinds]
        return _without_null(found, alternatives)
    if not isinstance(alternatives, list) or any(key in found for key in ("properties", "items")):
        return []  # conditions on what is described already
    return _without_null(found, alternatives)


def _without_null(found: _Plain, alternatives: list[Any]) -> list[Any]:
    kept = [one for one in alternatives if not (isinstance(one, Mapping) and one.get("type") == "null")]
    if len(kept) < len(alternatives):
        found["nullable"] = True
    return kept


def _any_of(found: _Plain, alternatives: list[Any], depth: int) -> _Plain:
    """Nothing may stand beside ``anyOf``: what does goes into the alternatives."""
    shared = {key: found[key] for key in ("description", "nullable") if key in found}
    whole = [{**shared, **one} if isinstance(one, Mapping) else shared for one in alternatives]
    if found.get("nullable") is True:
        whole = [{**one, "nullable": True} for one in whole]
    if len(whole) == 1:
        return _subset({**found, **whole[0]}, depth + 1)
    return {"anyOf": [_subset(one, depth + 1) for one in whole]}


def _kind(found: _Plain, *, at_root: bool) -> str:
    named = found.get("type")
    if named == "null":
        found["nullable"] = True
    kind = named.lower() if isinstance(named, str) else ""
    if kind in _BY_TYPE:
        return kind
    told = (kind for kind, signs in _SIGNS.items() if any(sign in found for sign in signs))
    return next(told, "object" if at_root else _ANY)


def _items(found: _Plain, depth: int) -> _Plain:
    items, prefix = found.get("items"), found.get("prefixItems")
    tuples = prefix if isinstance(prefix, list) else items
    if not isinstance(tuples, list):
        return _subset(items, depth + 1)
    made: list[_Plain] = []
    for one in tuples:
        part = _subset(one, depth + 2)
        if part not in made:
            made.append(part)
    return {"anyOf": made} if len(made) > 1 else made[0] if made else {"type": _ANY}


def _properties(found: _Plain, depth: int) -> None:
    properties = {name: _subset(one, depth + 1) for name, one in _named(found).items()}
    if properties:
        found["properties"] = properties
    else:
        found.pop("properties", None)
    for key in ("required", "propertyOrdering"):
        names = [name for name in dict.fromkeys(_names(found.get(key))) if name in properties]
        if names:
            found[key] = names
        else:
            found.pop(key, None)


def _texts(found: _Plain) -> None:
    if not found.get("enum"):
        found.pop("enum", None)


def _bounds(found: _Plain, step: int) -> None:
    """The bound of a whole number that is excluded is the one beside it."""
    for excluded, bound, away in (
        ("exclusiveMinimum", "minimum", step),
        ("exclusiveMaximum", "maximum", -step),
    ):
        value = found.get(excluded)
        if isinstance(value, int | float) and not isinstance(value, bool) and bound not in found:
            found[bound] = value + away


def _named(found: _Schema) -> Mapping[str, Any]:
    properties = found.get("properties")
    return properties if isinstance(properties, Mapping) else {}


def _names(found: object) -> list[str]:
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
