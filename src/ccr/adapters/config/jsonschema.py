"""The JSON Schema (draft 2020-12) of ``config.json``, from the schema classes."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any

from attrs import NOTHING

from ccr.adapters.config import ancestor
from ccr.adapters.config.schema import Key, Root, keys_of
from ccr.adapters.config.schema.keys import Kind
from ccr.adapters.config.schema.routing import FIDELITIES
from ccr.application.settings.routes import MOST_WEIGHT, STRATEGIES

__all__ = ["build", "render", "shipped"]

_VARIABLE = {"type": "string", "pattern": "\\$"}
"""A text with a reference may stand wherever a number or boolean may."""
_TEXTS = {"type": "array", "items": {"type": "string"}}
_USE_LIST: dict[str, Any] = {
    "type": "array",
    "items": {
        "oneOf": [
            {"type": "string"},
            {
                "type": "array",
                "prefixItems": [{"type": "string"}, {"type": "object"}],
                "minItems": 1,
                "maxItems": 2,
            },
        ]
    },
}
_USE: dict[str, Any] = {
    "type": "object",
    "properties": {"use": _USE_LIST},
    "additionalProperties": {"type": "object", "properties": {"use": _USE_LIST}},
}
_WEIGHT = {"type": "number", "exclusiveMinimum": 0, "maximum": MOST_WEIGHT}
_KEY_ENTRY: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"key": {"type": "string"}, "weight": _WEIGHT},
            "required": ["key"],
            "additionalProperties": False,
        },
    ]
}
_CHOICE: dict[str, Any] = {
    "type": "object",
    "properties": {"target": {"type": "string"}, "weight": _WEIGHT},
    "required": ["target"],
    "additionalProperties": False,
}
_CHOICES: dict[str, Any] = {"type": "array", "items": {"oneOf": [{"type": "string"}, _CHOICE]}}
_ROUTE: dict[str, Any] = {
    "oneOf": [
        {"type": "string"},
        _CHOICES,
        _CHOICE,
        {
            "type": "object",
            "properties": {"targets": _CHOICES, "strategy": {"enum": list(STRATEGIES)}},
            "required": ["targets"],
            "additionalProperties": False,
        },
    ]
}
_FIDELITY = {"enum": list(FIDELITIES)}
_SIMPLE: dict[Kind, dict[str, Any]] = {
    Kind.SECRETS: {"oneOf": [{"type": "string"}, {"type": "array", "items": _KEY_ENTRY}]},
    Kind.BOOLEAN: {"anyOf": [{"type": "boolean"}, {"enum": ["true", "false"]}, _VARIABLE]},
    Kind.TEXTS: _TEXTS,
    Kind.NAMES: {"oneOf": [{"type": "string"}, _TEXTS]},
    Kind.TEXT_MAP: {"type": "object", "additionalProperties": {"type": "string"}},
    Kind.TARGET: {"$ref": "#/$defs/route"},
    Kind.TARGET_MAP: {"type": "object", "additionalProperties": {"$ref": "#/$defs/route"}},
    Kind.TARGETS_MAP: {"type": "object", "additionalProperties": {"oneOf": [{"type": "string"}, _TEXTS]}},
    Kind.FIDELITY: {"oneOf": [_FIDELITY, {"type": "object", "additionalProperties": _FIDELITY}]},
    Kind.USE: _USE,
    Kind.FREE: {},
    Kind.FREE_OBJECT: {"type": "object"},
}
_PLAIN_DEFAULTS = (str, int, bool)


def build() -> dict[str, Any]:
    """The whole schema as plain values."""
    root = _object(Root)
    names = {key.name: key for key in keys_of(Root)}
    for alias, name in ancestor.ALIASES.items():
        root["properties"][alias] = {**_key(names[name]), "description": f"Another spelling of {name}."}
    for name in ancestor.FLAT_KEYS:
        root["properties"][name] = {
            "type": "string",
            "description": "Flat form of the ancestor's GitHub Action: one provider of this endpoint, key and model.",
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Claude Code Router configuration",
        **root,
        "$defs": {"route": _ROUTE},
    }


def _object(cls: type) -> dict[str, Any]:
    keys = keys_of(cls)
    made: dict[str, Any] = {"type": "object", "properties": {key.name: _key(key) for key in keys}}
    required = [key.name for key in keys if key.required]
    return made | ({"required": required} if required else {})


def _key(key: Key) -> dict[str, Any]:
    made = dict(_shape(key))
    made["description"] = key.doc + (" Known, not yet in effect." if key.later else "")
    if key.default is not NOTHING and isinstance(key.default, _PLAIN_DEFAULTS) and key.default != "":
        made["default"] = key.default
    return made


def _shape(key: Key) -> dict[str, Any]:
    if key.of is not None:
        inner = _object(key.of)
        wrapped: dict[Kind, dict[str, Any]] = {
            Kind.LIST: {"type": "array", "items": inner},
            Kind.MAP: {"type": "object", "additionalProperties": inner},
        }
        return wrapped.get(key.kind, inner)
    if key.kind in {Kind.INTEGER, Kind.MILLIS}:
        least = 0 if key.least is None and key.kind is Kind.MILLIS else key.least
        bounds = {"minimum": least, "maximum": key.most}
        number = {"type": "integer", **{name: bound for name, bound in bounds.items() if bound is not None}}
        return {"anyOf": [number, {"type": "string", "pattern": "^\\d+$|\\$"}]}
    if key.kind in _SIMPLE:
        return _SIMPLE[key.kind]
    text: dict[str, Any] = {"type": "string"}
    if key.choices:
        text = {"anyOf": [{"enum": list(key.choices)}, {"enum": [""]}, _VARIABLE]}
    return text | ({"pattern": f"^({key.pattern})?$"} if key.pattern else {})


def render() -> str:
    """As it is shipped: indented, with a line end."""
    return json.dumps(build(), indent=2, ensure_ascii=False) + "\n"


def shipped() -> str:
    """The text of the shipped file, which a test compares with :func:`render`."""
    return resources.files("ccr.adapters.config").joinpath("config.schema.json").read_text(encoding="utf-8")


if __name__ == "__main__":
    import sys

    sys.stdout.write(render())
