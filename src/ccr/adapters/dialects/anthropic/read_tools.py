"""The tools of a caller's request."""

from __future__ import annotations

import msgspec

from ccr.adapters.dialects.anthropic.blocks import cache_of
from ccr.adapters.dialects.anthropic.wire import DIALECT, Raw, WireSearch, WireTool, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import checked, elements, invalid
from ccr.domain.conversation import FunctionTool, HostedTool, SearchOptions, Tool

__all__ = ["read_tools"]

_TOOL = msgspec.json.Decoder(WireTool)
_SEARCH = msgspec.json.Decoder(WireSearch)
_TOOL_WORDS = frozenset(WireTool.__struct_fields__)


def read_tools(raw: bytes) -> tuple[Tool, ...]:
    """Read the whole list of tools. Pure. Raises InvalidRequestError with a path inside the list."""
    return tuple(_tool(one, f"[{index}]") for index, one in enumerate(elements(raw, "")))


def _tool(raw: Raw, path: str) -> Tool:
    wire = checked(_TOOL, raw, path)
    if wire.type not in (None, "custom"):
        kind = wire.type or ""
        search = _search(raw, path) if kind.startswith("web_search") else None
        return HostedTool(kind, wire.name, DIALECT, json.json_of(raw), search)
    if not wire.name:
        raise invalid(f"{path}.name", "a tool needs a name")
    if opening(wire.input_schema) != b"{":
        raise invalid(f"{path}.input_schema", "must be a JSON schema object")
    extra = tuple(
        (name, json.json_of(value)) for name, value in json.top_level(raw).items() if name not in _TOOL_WORDS
    )
    return FunctionTool(
        wire.name,
        wire.description or "",
        json.json_of(wire.input_schema),
        wire.strict,
        wire.defer_loading is True,
        wire.eager_input_streaming,
        cache_of(wire.cache_control),
        extra,
        DIALECT if extra else "",
    )


def _search(raw: Raw, path: str) -> SearchOptions:
    wire = checked(_SEARCH, raw, path)
    return SearchOptions(
        wire.max_uses,
        tuple(wire.allowed_domains or ()),
        tuple(wire.blocked_domains or ()),
        json.json_of(wire.user_location) if opening(wire.user_location) == b"{" else None,
    )
