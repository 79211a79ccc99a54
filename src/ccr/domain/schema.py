"""Does a value fit a JSON schema? Only as much of JSON Schema as tool calls need.

What is not understood here accepts everything: a value is called wrong only where that is certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from ccr.domain.schema_forms import openapi_subset
from ccr.domain.schema_refs import inline_refs, without_keywords

__all__ = [
    "Schema",
    "accepts",
    "inline_refs",
    "kinds",
    "openapi_subset",
    "options",
    "resolved",
    "without_keywords",
]

Schema: TypeAlias = Mapping[str, Any]

_DEEPEST = 24
"""Levels; a schema may refer to itself without an end."""


def accepts(schema: object, value: object, root: Schema | None = None, depth: int = 0) -> bool:
    """Say whether ``value`` (plain JSON values) may pass. ``root`` is where ``$ref`` begins; None = ``schema`` itself."""
    if not isinstance(schema, Mapping):
        return schema is not False
    if depth > _DEEPEST:
        return True
    root = schema if root is None else root
    schema = resolved(schema, root)
    if value is None and schema.get("nullable") is True:
        return True
    return all(check(schema, value, root, depth + 1) for check in _CHECKS)


def resolved(schema: Schema, root: Schema) -> Schema:
    """Follow ``$ref`` inside the document; what leads nowhere accepts everything."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref")
        if not isinstance(reference, str):
            return schema
        found: object = root if reference == "#" else None
        if reference.startswith("#/"):
            found = root
            for step in reference[2:].split("/"):
                name = step.replace("~1", "/").replace("~0", "~")
                found = found.get(name) if isinstance(found, Mapping) else None
        schema = found if isinstance(found, Mapping) else {}
    return {}


def kinds(schema: Schema) -> frozenset[str]:
    """Return the types that it names; none = any."""
    named = schema.get("type")
    found = named if isinstance(named, list) else [named]
    return frozenset(kind for kind in found if isinstance(kind, str))


def options(schema: Schema) -> list[object]:
    """Return its alternatives; none = it has none."""
    found = schema.get("anyOf") or schema.get("oneOf")
    return found if isinstance(found, list) else []


def _kind(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    del root, depth
    named = kinds(schema)
    return not named or any(_IS.get(kind, _anything)(value) for kind in named)


def _choice(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    del root, depth
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(_same(value, one) for one in allowed):
        return False
    return "const" not in schema or _same(value, schema["const"])


def _same(value: object, other: object) -> bool:
    """True is not 1 in JSON."""
    return value == other and isinstance(value, bool) == isinstance(other, bool)


def _alternatives(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    alternatives = options(schema)
    if alternatives and not any(accepts(one, value, root, depth) for one in alternatives):
        return False
    every = schema.get("allOf")
    return not isinstance(every, list) or all(accepts(one, value, root, depth) for one in every)


def _object(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    if not isinstance(value, Mapping):
        return True
    required = schema.get("required")
    if isinstance(required, list) and any(name not in value for name in required):
        return False
    declared = schema.get("properties")
    declared = declared if isinstance(declared, Mapping) else {}
    rest = True if schema.get("patternProperties") else schema.get("additionalProperties", True)
    return all(accepts(declared.get(name, rest), inner, root, depth) for name, inner in value.items())


def _array(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    if not isinstance(value, list) or schema.get("prefixItems"):
        return True
    return all(accepts(schema.get("items", True), inner, root, depth) for inner in value)


def _text(schema: Schema, value: object, root: Schema, depth: int) -> bool:
    del root, depth
    if not isinstance(value, str):
        return True
    least, pattern = schema.get("minLength"), schema.get("pattern")
    if isinstance(least, int) and len(value) < least:
        return False
    if not value and schema.get("format") in _FORMATS:
        return False
    # A pattern over a long text could take for ever; only the empty text is of interest.
    return bool(value) or not isinstance(pattern, str) or _matches_nothing(pattern)


def _matches_nothing(pattern: str) -> bool:
    try:
        return re.search(pattern, "") is not None
    except re.error:
        return True


_FORMATS = frozenset({"date", "date-time", "time", "email", "hostname", "ipv4", "ipv6", "uri", "url", "uuid"})
"""Formats that no empty text has (JSON Schema 2020-12, 7.3)."""

_Check: TypeAlias = Callable[[Schema, object, Schema, int], bool]
_CHECKS: tuple[_Check, ...] = (_kind, _choice, _alternatives, _object, _array, _text)


def _anything(value: object) -> bool:
    del value
    return True


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_IS: Mapping[str, Callable[[object], bool]] = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or float(str(value)).is_integer()),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list),
}
