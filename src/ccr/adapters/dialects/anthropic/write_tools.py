"""Tools and the choice among them, for a provider of this dialect."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ccr.adapters.dialects.anthropic.degrade import own_name, unmarked
from ccr.adapters.dialects.anthropic.wire import DIALECT, Raw
from ccr.adapters.dialects.anthropic.write_blocks import Wire, cache_control
from ccr.adapters.wire import json
from ccr.adapters.wire.names import short_name
from ccr.domain.conversation import FunctionTool, HostedTool, ToolMode
from ccr.domain.fidelity import Loss
from ccr.domain.value import evolve

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.domain.conversation import SearchOptions, Tool, ToolChoice
    from ccr.domain.models import ModelProfile
    from ccr.domain.verbatim import Json

__all__ = ["own_tools", "plain_tools", "write_choice", "write_tools"]

_PLACEHOLDER = "DeferredToolPlaceholder"
_SEARCH = "web_search_20250305"
"""The web search that every model and every provider of this dialect with one knows."""
_CHOICES = ("anyOf", "oneOf", "allOf")
_MODES = {ToolMode.AUTO: "auto", ToolMode.REQUIRED: "any", ToolMode.NONE: "none", ToolMode.NAMED: "tool"}


def write_tools(tools: Sequence[Tool]) -> bytes:
    """Write the list of tools. Pure."""
    return json.encode_wire([wire for tool in tools if (wire := _tool(tool)) is not None])


def _tool(tool: Tool) -> Wire | Raw | None:
    if isinstance(tool, HostedTool):
        if tool.dialect == DIALECT:
            return Raw(tool.data.data)
        return None if tool.search is None else _web_search(tool.search)
    if not isinstance(tool, FunctionTool):
        schema = {"type": "object", "properties": {"input": {"type": "string"}}, "required": ["input"]}
        return {"name": tool.name, "description": tool.description, "input_schema": schema}
    wire: Wire = {"name": tool.name}
    if tool.description:
        wire["description"] = tool.description
    is_own = tool.dialect == DIALECT
    wire["input_schema"] = Raw(tool.schema.data if is_own else _object_schema(tool.schema))
    if tool.strict is not None:
        wire["strict"] = tool.strict
    if tool.deferred:
        wire["defer_loading"] = True
    if tool.eager is not None:
        wire["eager_input_streaming"] = tool.eager
    if tool.cache is not None:
        wire["cache_control"] = cache_control(tool.cache)
    if is_own:
        wire.update((name, Raw(value.data)) for name, value in tool.extra)
    return wire


def _object_schema(schema: Json) -> bytes:
    """Return a schema whose root is an object and no choice: this dialect refuses any other."""
    found = json.object_of(schema.data) or {}
    choices = [name for name in _CHOICES if name in found]
    if found.get("type") == "object" and not choices:
        return schema.data
    made: Wire = {"type": "object", **{name: value for name, value in found.items() if name not in choices}}
    made["type"] = "object"
    properties: Wire = {}
    for inner in (_properties(one) for name in choices for one in _list(found[name])):
        properties.update(inner)
    properties.update(_properties(found))
    if properties:
        made["properties"] = properties
    return json.encode_wire(made)


def _properties(schema: object) -> Wire:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _web_search(search: SearchOptions) -> Wire:
    wire: Wire = {"type": _SEARCH, "name": "web_search"}
    if search.max_uses is not None:
        wire["max_uses"] = search.max_uses
    if search.allowed_domains:
        wire["allowed_domains"] = list(search.allowed_domains)
    elif search.blocked_domains:  # the API takes one of the two
        wire["blocked_domains"] = list(search.blocked_domains)
    if search.location is not None:
        wire["user_location"] = Raw(search.location.data)
    return wire


def own_tools(tools: tuple[Tool, ...], losses: list[Loss]) -> tuple[Tool, ...]:
    """Leave out what another dialect's provider runs, but for web search, which Anthropic has too, and mend names."""
    foreign = [tool for tool in tools if isinstance(tool, HostedTool) and _tool(tool) is None]
    losses.extend(Loss(tool.kind) for tool in foreign)
    if foreign:
        tools = tuple(tool for tool in tools if tool not in foreign)
    if all(isinstance(tool, HostedTool) or own_name(tool.name) == tool.name for tool in tools):
        return tools
    return tuple(
        tool if isinstance(tool, HostedTool) else evolve(tool, name=own_name(tool.name)) for tool in tools
    )


def plain_tools(tools: Sequence[Tool], profile: ModelProfile, losses: list[Loss]) -> tuple[Tool, ...]:
    """Leave out what only Anthropic knows, and cut names to what the strictest take: Bedrock's 64 characters."""
    kept: list[Tool] = []
    for tool in tools:
        if isinstance(tool, HostedTool):
            if tool.search is not None and profile.web_search == DIALECT:
                kept.append(tool)
            else:
                losses.append(Loss(tool.kind))
        elif isinstance(tool, FunctionTool):
            if tool.name != _PLACEHOLDER:
                name, cache = short_name(tool.name), unmarked(tool.cache)
                kept.append(FunctionTool(name, tool.description, tool.schema, cache=cache))
        else:
            kept.append(evolve(tool, name=short_name(tool.name)))
    return tuple(kept)


def write_choice(choice: ToolChoice, tools: Sequence[Tool]) -> Wire:
    """Write a choice among tools as they are written; one of a tool that had to be left out would be a 400."""
    wire: Wire = {"type": _MODES[choice.mode]}
    if choice.mode is ToolMode.NAMED:
        asked = choice.name or ""
        named = next((tool.name for tool in tools if tool.name in (asked, short_name(asked))), None)
        wire = {"type": _MODES[ToolMode.AUTO]} if named is None else {"type": "tool", "name": named}
    if choice.parallel is not None:
        wire["disable_parallel_tool_use"] = not choice.parallel
    return wire
