"""Gemini's ``Schema`` (OpenAPI 3.0, types in capitals) as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.dialects.gemini.wire import camel

__all__ = ["json_schema"]

_NUMBERS = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
"""int64 in protobuf, which may be written as text."""
_DEEPEST = 64


def json_schema(schema: Mapping[str, object], depth: int = 0) -> dict[str, object]:
    """Return the schema as other dialects know it: types in small letters, ``nullable`` as a type of ``null``."""
    found = {camel(key): value for key, value in schema.items()}
    nullable = found.pop("nullable", None) is True
    found.pop("propertyOrdering", None)
    made: dict[str, object] = {}
    for key, value in found.items():
        if key == "type" and isinstance(value, str):
            if value.upper() != "TYPE_UNSPECIFIED":
                made[key] = value.lower()
        elif key == "properties" and isinstance(value, Mapping):
            made[key] = {name: _inner(one, depth) for name, one in value.items()}
        elif key == "anyOf" and isinstance(value, list):
            made[key] = [_inner(one, depth) for one in value]
        elif key in ("items", "additionalProperties"):
            made[key] = _inner(value, depth)
        elif key in _NUMBERS and isinstance(value, str) and value.isdecimal():
            made[key] = int(value)
        elif not (key == "format" and value == "enum"):
            made[key] = value
    return _nullable(made) if nullable else made


def _inner(value: object, depth: int) -> object:
    if not isinstance(value, Mapping):
        return value
    return json_schema(value, depth + 1) if depth < _DEEPEST else {}


def _nullable(made: dict[str, object]) -> dict[str, object]:
    alternatives, choices = made.get("anyOf"), made.get("enum")
    if isinstance(alternatives, list):
        made["anyOf"] = [*alternatives, {"type": "null"}]
    elif isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
    if isinstance(choices, list):
        made["enum"] = [*choices, None]
    return made
