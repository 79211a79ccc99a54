"""Tools as chat completions declare them, with schemas as the model takes them (providers.md 4.5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ccr.adapters.dialects.openai_chat.parts import Losses, Message
from ccr.adapters.wire import json
from ccr.adapters.wire.names import short_name
from ccr.domain.fidelity import Loss
from ccr.domain.models import SchemaStyle
from ccr.domain.schema_forms import inline_refs, openapi_subset, without_keywords
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from ccr.domain.conversation import FunctionTool
    from ccr.domain.models import ModelProfile

__all__ = ["adapted_schema", "write_tool"]

_STRICT = "strict"


def write_tool(tool: FunctionTool, profile: ModelProfile, losses: Losses, *, own: bool) -> Message:
    """Return the declaration. ``own``: the caller speaks this dialect and knows what ``strict`` asks of a schema."""
    function: Message = {
        "name": short_name(tool.name),
        "description": tool.description,
        "parameters": adapted_schema(tool.schema, profile),
    }
    if tool.strict is not None and _STRICT not in profile.schema_drop:
        if own or not tool.strict or _is_strict(json.object_of(tool.schema.data)):
            function[_STRICT] = tool.strict
        else:
            losses[Loss(_STRICT)] = None
    elif tool.strict:
        losses[Loss(_STRICT)] = None
    return {"type": "function", "function": function}


def adapted_schema(schema: Json, profile: ModelProfile) -> Json:
    """Return a schema of the style that the model takes; byte for byte the same where it takes any."""
    drop = frozenset(profile.schema_drop) - {_STRICT}
    if profile.schema is SchemaStyle.JSON and not drop:
        return schema
    found = json.object_of(schema.data)
    if found is None:
        return schema
    made = dict(found)
    if profile.schema is SchemaStyle.INLINE:
        made = inline_refs(made)
    elif profile.schema is SchemaStyle.OPENAPI:
        made = openapi_subset(made)
    return Json(json.encode_wire(without_keywords(made, drop) if drop else made))


def _is_strict(schema: object) -> bool:
    """Whether OpenAI would enforce it: every object closed, every property required."""
    if isinstance(schema, list):
        return all(map(_is_strict, schema))
    if not isinstance(schema, Mapping):
        return True
    properties = schema.get("properties")
    if isinstance(properties, Mapping) or schema.get("type") == "object":
        required = schema.get("required")
        named = set(properties) if isinstance(properties, Mapping) else set()
        if schema.get("additionalProperties") is not False:
            return False
        if not named <= set(required if isinstance(required, list) else ()):
            return False
    return all(_is_strict(inner) for inner in schema.values() if isinstance(inner, dict | list))
