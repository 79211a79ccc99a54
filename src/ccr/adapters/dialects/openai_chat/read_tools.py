"""Tools of a caller, and the choice among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from attrs import frozen

from ccr.adapters.dialects.openai_chat.read_options import get
from ccr.adapters.dialects.openai_chat.request_wire import (
    STRING,
    Raw,
    WireAllowed,
    WireCustom,
    WireFunction,
    WireTool,
    is_null,
    opening,
)
from ccr.adapters.dialects.openai_chat.wire import NAME
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.domain.conversation import (
    CacheMark,
    FreeformTool,
    FunctionTool,
    HostedTool,
    SearchOptions,
    ToolChoice,
    ToolMode,
)
from ccr.domain.value import evolve
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ccr.domain.conversation import Tool

__all__ = ["SEARCH", "Choice", "read_choice", "read_functions", "read_search", "read_tools"]

SEARCH = "web_search"
"""Kind and name of web search, whatever the wire calls it."""

_TOOL = msgspec.json.Decoder(WireTool)
_FUNCTION = msgspec.json.Decoder(WireFunction)
_CUSTOM = msgspec.json.Decoder(WireCustom)
_ALLOWED = msgspec.json.Decoder(WireAllowed)
_BOOL = msgspec.json.Decoder(bool)
_WORDS = {
    "auto": ToolMode.AUTO,
    "none": ToolMode.NONE,
    "required": ToolMode.REQUIRED,
    "any": ToolMode.REQUIRED,  # Mistral's
}


def read_tools(raw: bytes) -> tuple[Tool, ...]:
    """Read the whole list of tools. Pure. Raises InvalidRequestError with a path inside the list."""
    return tuple(_tool(one, f"[{index}]") for index, one in enumerate(elements(raw, "")))


def read_functions(raw: bytes) -> tuple[Tool, ...]:
    """Read the legacy ``functions``. Raises InvalidRequestError with a path inside the list."""
    return tuple(_function(one, f"[{index}]") for index, one in enumerate(elements(raw, "")))


def _tool(raw: Raw, path: str) -> Tool:
    wire = checked(_TOOL, raw, path)
    if wire.type == "function":
        made = _function(wire.function, f"{path}.function")
        return made if wire.cache_control is None else evolve(made, cache=CacheMark(wire.cache_control.ttl))
    if wire.type == "custom":
        return _custom(wire.custom, f"{path}.custom")
    if not wire.type:
        raise invalid(f"{path}.type", "must be function or custom")
    search = SearchOptions() if wire.type.startswith(SEARCH) else None
    return HostedTool(wire.type, wire.name or wire.type, NAME, json.json_of(raw), search)


def _function(raw: Raw, path: str) -> FunctionTool:
    if opening(raw) != b"{":
        raise invalid(path, "must be an object")
    wire = checked(_FUNCTION, raw, path)
    if not wire.name:
        raise invalid(f"{path}.name", "a tool needs a name")
    made = FunctionTool(wire.name, wire.description or "", strict=wire.strict)
    if is_null(wire.parameters):
        return made
    if opening(wire.parameters) != b"{":
        raise invalid(f"{path}.parameters", "must be a JSON schema object")
    # `{}` is legal here, and refused by others.
    return made if bytes(wire.parameters) == b"{}" else evolve(made, schema=json.json_of(wire.parameters))


def _custom(raw: Raw, path: str) -> FreeformTool:
    if opening(raw) != b"{":
        raise invalid(path, "must be an object")
    wire = checked(_CUSTOM, raw, path)
    if not wire.name:
        raise invalid(f"{path}.name", "a tool needs a name")
    grammar = None if is_null(wire.format) else json.json_of(wire.format)
    return FreeformTool(wire.name, wire.description or "", grammar)


def read_search(raw: Raw | None) -> HostedTool | None:
    """Return web search as ``web_search_options`` asks for it, None if it does not."""
    if raw is None or is_null(raw):
        return None
    options = json.object_of(raw)
    if options is None:
        raise invalid("web_search_options", "must be an object")
    place = options.get("user_location")
    near = place.get("approximate") if isinstance(place, dict) else None
    location = Json(json.encode_wire({"type": "approximate", **near})) if isinstance(near, dict) else None
    return HostedTool(SEARCH, SEARCH, NAME, json.json_of(raw), SearchOptions(location=location))


# -------------------------------------------------------------------------------------------- the choice


@frozen
class Choice:
    """The choice, and the names of the tools that it leaves; None = all."""

    choice: ToolChoice | None
    allowed: frozenset[str] | None = None


def read_choice(top: Mapping[str, Raw]) -> Choice:
    """Read ``tool_choice``, ``parallel_tool_calls`` and the legacy ``function_call``. Raises InvalidRequestError."""
    parallel = get(top, "parallel_tool_calls", _BOOL)
    if "functions" in top:
        parallel = False  # a legacy client knows one call
    name = "tool_choice" if "tool_choice" in top else "function_call"
    raw = top.get(name)
    if raw is None or is_null(raw):
        return Choice(None if parallel is None else ToolChoice(parallel=parallel))
    if opening(raw) == b'"':
        mode = _WORDS.get(checked(STRING, raw, name))
        if mode is None:
            raise invalid(name, "must be auto, none, required or name a tool")
        return Choice(ToolChoice(mode, parallel=parallel))
    fields = json.object_of(raw)
    if fields is None:
        raise invalid(name, "must be a string or an object")
    if fields.get("type") == "allowed_tools":
        return _allowed(raw, name, parallel)
    inner = fields.get(str(fields.get("type", ""))) if name == "tool_choice" else fields
    chosen = inner.get("name") if isinstance(inner, dict) else None
    if not isinstance(chosen, str) or not chosen:
        raise invalid(name, "must name a tool")
    return Choice(ToolChoice(ToolMode.NAMED, chosen, parallel))


def _allowed(raw: Raw, name: str, parallel: bool | None) -> Choice:  # None = not said
    wire = checked(_ALLOWED, json.top_level(raw).get("allowed_tools", Raw(b"{}")), f"{name}.allowed_tools")
    names: set[str] = set()
    for entry in wire.tools or ():
        fields = json.object_of(entry) or {}
        inner = fields.get(str(fields.get("type", "")))
        if isinstance(inner, dict) and isinstance(inner.get("name"), str):
            names.add(inner["name"])
    mode = ToolMode.REQUIRED if wire.mode == "required" else ToolMode.AUTO
    return Choice(ToolChoice(mode, parallel=parallel), frozenset(names))
