from __future__ import annotations

from typing import Any

import pytest

from ccr.domain.schema import accepts

STRING = {"type": "string"}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/a~1b",
    "$defs": {"a/b": {"type": "object", "properties": {"next": {"$ref": "#/$defs/a~1b"}}}},
}


@pytest.mark.parametrize(
    "schema,value",
    [
        (True, 1),
        ("nonsense", 1),
        ({}, object()),
        ({"type": "made up"}, 1),
        ({"type": ["string", "null"]}, None),
        ({"type": "string", "nullable": True}, None),
        ({"type": "integer"}, 3.0),
        ({"type": "number"}, 3),
        ({"enum": ["a", 1]}, "a"),
        ({"const": None}, None),
        ({"anyOf": [STRING, {"type": "null"}]}, None),
        ({"oneOf": [STRING, {"type": "null"}]}, "x"),
        ({"allOf": [STRING, {"minLength": 1}]}, "x"),
        ({"type": "object", "properties": {"a": STRING}}, {"b": 1}),
        (
            {"properties": {"a": STRING}, "patternProperties": {"b": {}}, "additionalProperties": False},
            {"b": 1},
        ),
        ({"additionalProperties": STRING}, {"b": "x"}),
        ({"items": STRING}, ["x"]),
        ({"prefixItems": [STRING], "items": False}, ["x"]),
        ({"pattern": "^a"}, "b"),
        ({"pattern": "("}, ""),
        ({"pattern": "^$"}, ""),
        ({"format": "uri"}, "x"),
        ({"$ref": "#"}, 1),
        ({"$ref": "elsewhere.json"}, 1),
        ({"$ref": "#/nowhere/else"}, 1),
        ({"anyOf": [{"$ref": "#"}]}, 1),
        (TREE, {"next": {"next": {}}}),
    ],
)
def test_accepted(schema: object, value: object) -> None:
    assert accepts(schema, value)


@pytest.mark.parametrize(
    "schema,value",
    [
        (False, 1),
        (STRING, 1),
        (STRING, None),
        ({"type": "integer"}, 3.5),
        ({"type": "integer"}, True),
        ({"type": "number"}, "3"),
        ({"type": "boolean"}, 0),
        ({"type": "null"}, ""),
        ({"type": "array"}, {}),
        ({"type": "object"}, []),
        ({"enum": [1]}, True),
        ({"const": "a"}, "b"),
        ({"anyOf": [STRING, {"type": "null"}]}, 1),
        ({"allOf": [STRING, {"minLength": 1}]}, ""),
        ({"required": ["a"]}, {}),
        ({"properties": {"a": STRING}}, {"a": 1}),
        ({"additionalProperties": False}, {"b": 1}),
        ({"items": STRING}, [1]),
        ({"pattern": "^a"}, ""),
        ({"format": "uri"}, ""),
        (TREE, {"next": {"next": 1}}),
    ],
)
def test_refused(schema: object, value: object) -> None:
    assert not accepts(schema, value)
