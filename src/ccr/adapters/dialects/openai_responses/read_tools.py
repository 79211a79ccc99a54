"""What a caller offers and wants of tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Raw, Struct

from ccr.adapters.dialects.openai_responses.namespaces import flat_name
from ccr.adapters.dialects.openai_responses.wire import NAME, STRING, absent, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.domain.conversation import (
    FreeformTool,
    FunctionTool,
    HostedTool,
    SearchOptions,
    ToolChoice,
    ToolMode,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ccr.domain.conversation import Tool

__all__ = ["SEARCH", "read_choice", "read_tools", "tool_names"]

SEARCH = "web_search"
_MODES = {"auto": ToolMode.AUTO, "required": ToolMode.REQUIRED, "none": ToolMode.NONE}


class _Filters(Struct, gc=False):
    allowed_domains: list[str] | None = None
    blocked_domains: list[str] | None = None
    excluded_domains: list[str] | None = None


class _Tool(Struct, gc=False):
    type: str = ""
    name: str = ""
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    defer_loading: bool | None = None
    format: Raw = Raw()
    filters: _Filters | None = None
    user_location: Raw = Raw()
    tools: Raw = Raw()


class _Choice(Struct, gc=False):
    type: str = ""
    name: str | None = None
    mode: str | None = None


_TOOL = msgspec.json.Decoder(_Tool)
_CHOICE = msgspec.json.Decoder(_Choice)


def read_tools(raw: bytes) -> tuple[Tool, ...]:
    """Read the whole list of tools; those in a namespace get flat names. Pure. Raises InvalidRequestError."""
    return tuple(
        tool for index, one in enumerate(elements(raw, "")) for tool in _tools(one, f"[{index}]", None)
    )


def tool_names(raw: bytes) -> tuple[frozenset[str], dict[str, tuple[str, str]]]:
    """Return the names of freeform tools, and for flat names the namespace and the name in it.

    Raises InvalidRequestError.
    """
    freeform: set[str] = set()
    spaces: dict[str, tuple[str, str]] = {}
    for index, one in enumerate(elements(raw, "")):
        outer = checked(_TOOL, one, f"[{index}]")
        inner = _inner(outer, f"[{index}]") if outer.type == "namespace" else [(one, "")]
        space = outer.name if outer.type == "namespace" else None
        for part, path in inner:
            tool = outer if space is None else checked(_TOOL, part, path)
            flat = flat_name(space, tool.name)
            if tool.type == "custom":
                freeform.add(flat)
            if space:
                spaces[flat] = (space, tool.name)
    return frozenset(freeform), spaces


def _tools(raw: Raw, path: str, namespace: str | None) -> Iterator[Tool]:
    wire = checked(_TOOL, raw, path)
    if wire.type == "namespace" and namespace is None:
        for inner, place in _inner(wire, path):
            yield from _tools(inner, place, wire.name)
    elif wire.type in ("function", "custom"):
        if not wire.name:
            raise invalid(f"{path}.name", "a tool needs a name")
        yield _own(wire, flat_name(namespace, wire.name), path)
    elif wire.type.startswith(SEARCH):
        yield HostedTool(SEARCH, SEARCH, NAME, json.json_of(raw), _search(wire))
    elif wire.type:
        yield HostedTool(wire.type, wire.name or wire.type, NAME, json.json_of(raw))
    else:
        raise invalid(f"{path}.type", "must name the type of the tool")


def _inner(wire: _Tool, path: str) -> list[tuple[Raw, str]]:
    if not wire.name:
        raise invalid(f"{path}.name", "a namespace needs a name")
    inner = [] if absent(wire.tools) else elements(wire.tools, f"{path}.tools")
    return [(one, f"{path}.tools[{index}]") for index, one in enumerate(inner)]


def _own(wire: _Tool, name: str, path: str) -> Tool:
    if wire.type == "custom":
        return FreeformTool(
            name, wire.description or "", None if absent(wire.format) else json.json_of(wire.format)
        )
    tool = FunctionTool(name, wire.description or "", strict=wire.strict, deferred=wire.defer_loading is True)
    if absent(wire.parameters):
        return tool
    if opening(wire.parameters) != b"{":
        raise invalid(f"{path}.parameters", "must be a JSON schema object")
    return FunctionTool(
        tool.name, tool.description, json.json_of(wire.parameters), tool.strict, tool.deferred
    )


def _search(wire: _Tool) -> SearchOptions:
    filters = wire.filters or _Filters()
    blocked = filters.blocked_domains or filters.excluded_domains
    return SearchOptions(
        allowed_domains=tuple(filters.allowed_domains or ()),
        blocked_domains=tuple(blocked or ()),
        location=None if absent(wire.user_location) else json.json_of(wire.user_location),
    )


def read_choice(raw: Raw | None, parallel: bool | None) -> tuple[ToolChoice | None, bool]:
    """Return the choice, and whether it says more than that. Raises InvalidRequestError."""
    if raw is None or absent(raw):
        return (None if parallel is None else ToolChoice(parallel=parallel)), False
    if opening(raw) == b'"':
        word = checked(STRING, raw, "tool_choice")
        mode = _MODES.get(word)
        if mode is None:
            raise invalid("tool_choice", "must be auto, required, none or an object")
        return ToolChoice(mode, parallel=parallel), False
    wire = checked(_CHOICE, raw, "tool_choice")
    if wire.type in ("function", "custom"):
        if not wire.name:
            raise invalid("tool_choice.name", "is required")
        return ToolChoice(ToolMode.NAMED, wire.name, parallel), False
    if wire.type == "allowed_tools":
        return ToolChoice(_MODES.get(wire.mode or "", ToolMode.AUTO), parallel=parallel), True
    if wire.type.startswith(SEARCH):
        return ToolChoice(ToolMode.NAMED, SEARCH, parallel), True
    return ToolChoice(parallel=parallel), True
