from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.schema import accepts, inline_refs, openapi_subset, without_keywords

Plain = dict[str, Any]

STRING: Plain = {"type": "string"}
NUMBER: Plain = {"type": "number"}
TREE: Plain = {
    "type": "object",
    "properties": {"root": {"$ref": "#/$defs/node", "description": "where it begins"}},
    "$defs": {"node": {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}},
}

_NAMES = st.sampled_from(["a", "b", "$ref", "definitions", "const", "type"])
_LEAVES = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(
            [
                "string",
                "number",
                "integer",
                "boolean",
                "null",
                "STRING",
                "odd",
                ["string", "null"],
                ["a", 1],
                [],
            ]
        ),
        "description": st.text(max_size=3),
        "enum": st.lists(st.none() | st.text(max_size=2) | st.integers(0, 3), max_size=3) | st.none(),
        "const": st.none() | st.text(max_size=2) | st.integers(0, 3) | st.lists(st.none(), max_size=1),
        "$ref": st.sampled_from(
            ["#", "#/$defs/a", "#/$defs/b", "#/properties/a", "#/definitions/a~1b", "http://x", 5]
        ),
        "exclusiveMinimum": st.integers(0, 3) | st.booleans(),
        "exclusiveMaximum": st.floats(0, 3),
        "minimum": st.integers(0, 3),
        "format": st.sampled_from(["uri", "date-time", "int32", "double"]),
        "pattern": st.just("^a"),
        "nullable": st.booleans() | st.just("yes"),
        "required": st.lists(_NAMES | st.integers(), max_size=3) | st.just("a"),
        "$schema": st.just("https://json-schema.org/draft/2020-12/schema"),
    },
)


def _deeper(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(_NAMES, inner | st.booleans(), max_size=3)
    several = st.lists(inner | st.booleans(), max_size=3)
    more = st.fixed_dictionaries(
        {},
        optional={
            "properties": named | st.none(),
            "$defs": st.fixed_dictionaries({}, optional={"a": inner, "b": inner}),
            "definitions": named,
            "patternProperties": named,
            "anyOf": several | st.just("x"),
            "oneOf": several,
            "allOf": several | st.none(),
            "items": inner | several | st.booleans(),
            "prefixItems": several,
            "not": inner,
            "propertyNames": inner,
            "additionalProperties": inner | st.booleans(),
        },
    )
    return st.builds(lambda leaf, rest: {**leaf, **rest}, _LEAVES, more)


SCHEMAS: st.SearchStrategy[Any] = st.recursive(_LEAVES, _deeper, max_leaves=6)

_WORDS = {
    "type", "title", "description", "nullable", "default", "example", "properties", "required", "propertyOrdering",
    "minProperties", "maxProperties", "items", "minItems", "maxItems", "enum", "format", "pattern", "minLength",
    "maxLength", "minimum", "maximum", "anyOf",
}  # fmt: skip


def assert_known(schema: Plain) -> None:
    """As Gemini checks it: a type, words that belong to it, required names that exist, enumerations of texts."""
    assert set(schema) <= _WORDS
    if "anyOf" in schema:
        assert set(schema) == {"anyOf"}
        for one in schema["anyOf"]:
            assert_known(one)
        return
    kind = schema["type"]
    assert kind in ("string", "number", "integer", "boolean", "array", "object")
    assert kind == "object" or not {"properties", "required"} & set(schema)
    assert set(schema.get("required", ())) <= set(schema.get("properties", ()))
    assert ("items" in schema) == (kind == "array")
    assert kind == "string" or "enum" not in schema
    assert all(isinstance(one, str) and one for one in schema.get("enum", ["x"]))
    for one in (*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])):
        assert_known(one)


@given(SCHEMAS)
def test_every_form_is_idempotent_and_leaves_its_argument_alone(schema: Plain) -> None:
    before = copy.deepcopy(schema)
    forms = (inline_refs, openapi_subset, lambda one: without_keywords(one, {"const", "$ref", "allOf"}))
    for form in forms:
        once = form(schema)

        assert form(once) == once
        assert schema == before


@given(SCHEMAS)
def test_the_subset_holds_nothing_that_gemini_does_not_know(schema: Plain) -> None:
    assert_known(openapi_subset(schema))


def test_references_are_written_out_and_what_stands_beside_them_wins() -> None:
    schema = {
        "properties": {
            "a": {"$ref": "#/$defs/x", "description": "mine"},
            "b": {"$ref": "#/definitions/y~1z"},
            "c": {"$ref": "#/$defs/chain"},
            "$ref": {"type": "string"},
            "definitions": {"type": "number"},
        },
        "$defs": {"x": {"type": "string", "description": "theirs"}, "chain": {"$ref": "#/$defs/x"}},
        "definitions": {"y/z": NUMBER},
    }
    assert inline_refs(schema) == {
        "properties": {
            "a": {"type": "string", "description": "mine"},
            "b": NUMBER,
            "c": {"type": "string", "description": "theirs"},
            "$ref": {"type": "string"},
            "definitions": {"type": "number"},
        }
    }


def test_a_reference_to_what_it_stands_in_becomes_any_object() -> None:
    assert inline_refs(TREE)["properties"]["root"] == {
        "type": "object",
        "properties": {"next": {"type": "object"}},
        "description": "where it begins",
    }
    assert inline_refs({"items": {"$ref": "#"}}) == {"items": {}}


@pytest.mark.parametrize("reference", ["#/nowhere", "other.json", "#anchor/x", 7, None])
def test_a_reference_that_leads_nowhere_accepts_everything(reference: object) -> None:
    assert inline_refs({"items": {"$ref": reference}}) == {"items": {}}


def test_references_that_double_without_an_end_stay_small() -> None:
    defs: Plain = {
        f"d{number}": {"properties": {side: {"$ref": f"#/$defs/d{number + 1}"} for side in "lr"}}
        for number in range(40)
    }
    whole = inline_refs({"$ref": "#/$defs/d0", "$defs": defs})

    def size(schema: Plain) -> int:
        return 1 + sum(map(size, schema.get("properties", {}).values()))

    assert size(whole) < 20_000


def test_a_schema_without_a_bottom_is_cut_off() -> None:
    deep: Plain = {}
    for _ in range(300):
        deep = {"type": "array", "items": deep, "allOf": [deep]}

    def depth(schema: object) -> int:
        return 1 + depth(schema["items"]) if isinstance(schema, dict) and "items" in schema else 0

    thin: Plain = {}
    for _ in range(300):
        thin = {"items": thin}
    merged: Plain = {}
    for _ in range(300):
        merged = {"allOf": [merged]}
    assert depth(inline_refs(thin)) == depth(without_keywords(thin, ["x"])) == 49
    assert depth(openapi_subset(thin)) == 49
    assert openapi_subset(merged) == {"type": "object"}


def test_keywords_go_and_properties_of_that_name_stay() -> None:
    schema = {
        "additionalProperties": False,
        "properties": {"additionalProperties": {"strict": True, "type": "string"}},
        "items": [{"strict": True}, True],
        "default": {"strict": 1},
        "required": ["additionalProperties"],
    }
    assert without_keywords(schema, ["additionalProperties", "strict"]) == {
        "properties": {"additionalProperties": {"type": "string"}},
        "items": [{}, True],
        "default": {"strict": 1},
        "required": ["additionalProperties"],
    }


@pytest.mark.parametrize(
    "schema,expected",
    [
        ({}, {"type": "object"}),
        ({"type": "object", "properties": {}, "additionalProperties": False}, {"type": "object"}),
        (
            {"$schema": "x", "type": "object", "properties": {"a": {}}, "required": ["a", "b"]},
            {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
        ),
        ({"const": "x"}, {"type": "string", "enum": ["x"]}),
        ({"const": 3}, {"type": "integer"}),
        ({"enum": ["a", None, ""]}, {"type": "string", "nullable": True, "enum": ["a"]}),
        ({"type": "string", "enum": [""]}, STRING),
        ({"type": "integer", "enum": [1, 2]}, {"type": "integer"}),
        ({"type": "integer", "exclusiveMinimum": 0}, {"type": "integer", "minimum": 1}),
        ({"type": "number", "exclusiveMaximum": 1.5}, {"type": "number", "maximum": 1.5}),
        (
            {"type": "integer", "exclusiveMaximum": 10, "maximum": 12, "exclusiveMinimum": True},
            {"type": "integer", "maximum": 12},
        ),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": "null"}, {"type": "object", "nullable": True}),
        ({"type": ["null"]}, {"type": "object", "nullable": True}),
        (
            {"type": ["string", "number"], "description": "d"},
            {"anyOf": [{"type": "string", "description": "d"}, {"type": "number", "description": "d"}]},
        ),
        (
            {"oneOf": [STRING, NUMBER, {"type": "null"}], "description": "d"},
            {
                "anyOf": [
                    {"type": "string", "description": "d", "nullable": True},
                    {"type": "number", "description": "d", "nullable": True},
                ]
            },
        ),
        (
            {"anyOf": [STRING, {"type": "null"}], "title": "t"},
            {"type": "string", "title": "t", "nullable": True},
        ),
        ({"anyOf": [True, STRING]}, {"anyOf": [STRING, STRING]}),
        (
            {"properties": {"a": STRING, "b": STRING}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]},
            {"type": "object", "properties": {"a": STRING, "b": STRING}},
        ),
        (
            {
                "allOf": [
                    {"properties": {"a": STRING}, "required": ["a"]},
                    True,
                    {"allOf": [{"title": "t"}]},
                ],
                "properties": {"b": NUMBER},
                "required": ["b"],
            },
            {
                "type": "object",
                "title": "t",
                "properties": {"a": STRING, "b": NUMBER},
                "required": ["b", "a"],
            },
        ),
        ({"type": "array"}, {"type": "array", "items": STRING}),
        ({"prefixItems": [STRING, STRING], "items": False}, {"type": "array", "items": STRING}),
        ({"prefixItems": [STRING, NUMBER]}, {"type": "array", "items": {"anyOf": [STRING, NUMBER]}}),
        ({"type": "array", "items": []}, {"type": "array", "items": STRING}),
        ({"type": "string", "format": "uri", "pattern": "^h"}, {"type": "string", "pattern": "^h"}),
        ({"type": "string", "format": "date-time"}, {"type": "string", "format": "date-time"}),
        ({"type": "boolean", "minimum": 3}, {"type": "boolean"}),
        ({"minimum": 3}, {"type": "number", "minimum": 3}),
        ({"type": "STRING"}, STRING),
    ],
)
def test_the_subset(schema: Plain, expected: Plain) -> None:
    assert openapi_subset(schema) == expected


def test_the_subset_accepts_what_a_real_schema_accepts() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "todos": {"type": "array", "items": {"$ref": "#/$defs/todo"}, "minItems": 1},
            "mode": {"const": "fast"},
            "limit": {"type": ["integer", "null"], "exclusiveMinimum": 0},
        },
        "required": ["todos"],
        "additionalProperties": False,
        "$defs": {
            "todo": {
                "type": "object",
                "properties": {"state": {"enum": ["open", "done"]}, "text": {"type": "string"}},
                "required": ["text", "state"],
            }
        },
    }
    value = {"todos": [{"text": "x", "state": "open"}], "mode": "fast", "limit": None}
    assert accepts(schema, value)
    assert accepts(openapi_subset(schema), value)
    assert not accepts(openapi_subset(schema), {"todos": [{"text": "x", "state": "lost"}]})
