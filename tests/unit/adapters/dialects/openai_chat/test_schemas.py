from __future__ import annotations

import json
from typing import Any

import pytest

from ccr.adapters.dialects.openai_chat.parts import Losses
from ccr.adapters.dialects.openai_chat.schemas import adapted_schema, write_tool
from ccr.domain.conversation import FunctionTool
from ccr.domain.models import ModelProfile, SchemaStyle
from ccr.domain.verbatim import Json

OPEN: dict[str, Any] = {
    "$schema": "x",
    "type": "object",
    "properties": {"a": {"$ref": "#/$defs/A"}},
    "$defs": {"A": {"type": "string"}},
    "additionalProperties": False,
}


def adapted(given: object, **profile: Any) -> Any:
    return json.loads(adapted_schema(Json(json.dumps(given).encode()), ModelProfile(**profile)).data)


def test_any_schema_goes_out_byte_for_byte() -> None:
    odd = Json(b'{ "type" : "object" }')
    assert adapted_schema(odd, ModelProfile()) is odd
    assert adapted_schema(odd, ModelProfile(schema_drop=("strict",))) is odd
    assert adapted_schema(Json(b"[1"), ModelProfile(schema=SchemaStyle.INLINE)).data == b"[1"


def test_references_are_written_out() -> None:
    made = adapted(OPEN, schema=SchemaStyle.INLINE)
    assert made["properties"] == {"a": {"type": "string"}}
    assert "$defs" not in made
    assert made["additionalProperties"] is False


def test_geminis_subset() -> None:
    made = adapted(OPEN, schema=SchemaStyle.OPENAPI)
    assert "$schema" not in made
    assert "additionalProperties" not in made
    assert made["properties"]["a"]["type"].lower() == "string"


def test_keywords_are_left_out_wherever_they_stand_but_not_properties_of_that_name() -> None:
    inner = {"type": "object", "additionalProperties": False, "properties": {"additionalProperties": {}}}
    made = adapted(
        {"type": "object", "properties": {"a": inner}, "additionalProperties": False},
        schema_drop=("additionalProperties", "strict"),
    )
    kept = {"type": "object", "properties": {"additionalProperties": {}}}
    assert made == {"type": "object", "properties": {"a": kept}}


STRICT = {
    "type": "object",
    "properties": {"a": {"anyOf": [{"type": "object", "additionalProperties": False}, {"type": "null"}]}},
    "required": ["a"],
    "additionalProperties": False,
}


def declared(
    schema: object, strict: bool | None, *, own: bool = False, **profile: Any
) -> tuple[Any, list[str]]:
    losses: Losses = {}
    tool = FunctionTool("f", schema=Json(json.dumps(schema).encode()), strict=strict)
    made: Any = write_tool(tool, ModelProfile(**profile), losses, own=own)
    return made["function"].get("strict"), list(map(str, losses))


def test_strict_is_passed_on_where_it_is_said() -> None:
    assert declared(STRICT, True) == (True, [])
    assert declared(STRICT, False) == (False, [])
    assert declared(STRICT, None) == (None, [])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object"},
        {**STRICT, "required": []},
        {**STRICT, "required": None},
        {**STRICT, "properties": {"a": {"type": "array", "items": {"type": "object"}}}},
    ],
)
def test_strict_is_left_out_where_openai_would_refuse_the_schema(schema: object) -> None:
    assert declared(schema, True) == (None, ["strict=dropped"])
    assert declared(schema, True, own=True) == (True, [])


def test_strict_is_left_out_where_it_is_not_known() -> None:
    assert declared(STRICT, True, schema_drop=("strict",)) == (None, ["strict=dropped"])
    assert declared(STRICT, False, schema_drop=("strict",)) == (None, [])
