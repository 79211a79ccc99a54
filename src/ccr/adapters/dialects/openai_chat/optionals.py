"""Takes ``null`` and ``""`` out of optional tool parameters that do not allow them (user-pains P8).

Models that were trained on strict schemas fill every field; the client then refuses the call, and the model tries the same
again. Only what the tool's own schema calls optional and would refuse is dropped; everything else stays byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ccr.adapters.wire import json
from ccr.domain.conversation import FunctionTool, ToolCall
from ccr.domain.stream import BlockStart, BlockStop, StreamFailed, ToolInputDelta

if TYPE_CHECKING:
    from ccr.domain.stream import StreamEvent

__all__ = ["Optionals", "cleaned", "droppable"]

_STRICTER: Mapping[str, frozenset[str]] = {"Read": frozenset({"pages"})}
"""Parameters whose schema is a plain string, and which Claude Code refuses when they are empty all the same."""

_FORMATS = frozenset({"date", "date-time", "time", "email", "hostname", "ipv4", "ipv6", "uri", "url", "uuid"})
"""Formats that no empty text has (JSON Schema 2020-12, 7.3)."""

Droppable = Mapping[str, frozenset[object]]
"""For a parameter the values that it does not mean when it is given them."""


def droppable(tool: FunctionTool) -> Droppable:
    """Return the optional parameters that refuse ``null`` or ``""``. A schema that cannot be read gives none."""
    try:
        schema = json.decode(tool.schema.data)
    except ValueError:
        return {}
    properties = schema.get("properties") if isinstance(schema, Mapping) else None
    if not isinstance(schema, Mapping) or not isinstance(properties, Mapping):
        return {}
    required = schema.get("required")
    needed = set(required) if isinstance(required, list) else set()
    found = {
        name: frozenset(_refused(tool.name, name, given))
        for name, given in properties.items()
        if name not in needed and isinstance(given, Mapping)
    }
    return {name: values for name, values in found.items() if values}


def _refused(tool: str, name: str, schema: Mapping[str, Any]) -> Sequence[object]:
    refused: list[object] = [] if _allows(schema, None) else [None]
    if name in _STRICTER.get(tool, ()) or not _allows(schema, ""):
        refused.append("")
    return refused


def _allows(schema: Mapping[str, Any], value: str | None) -> bool:
    """Say whether ``value`` (None or the empty text) may pass; what we do not understand allows everything."""
    for union in ("anyOf", "oneOf"):
        options = schema.get(union)
        if isinstance(options, list):
            return any(not isinstance(option, Mapping) or _allows(option, value) for option in options)
    if isinstance(schema.get("enum"), list):
        return value in schema["enum"]
    if "const" in schema:
        return bool(schema["const"] == value)
    kinds = schema.get("type")
    if kinds is None or schema.get("nullable") is True:
        return True
    named = kinds if isinstance(kinds, list) else [kinds]
    if value is None:
        return "null" in named
    return "string" in named and not _too_short(schema)


def _too_short(schema: Mapping[str, Any]) -> bool:
    least, pattern = schema.get("minLength"), schema.get("pattern")
    if (isinstance(least, int) and least > 0) or schema.get("format") in _FORMATS:
        return True
    if not isinstance(pattern, str):
        return False
    try:
        return re.search(pattern, "") is None
    except re.error:
        return False


def cleaned(text: str, drop: Droppable) -> str:
    """Return the input without what is to be dropped; the text itself if there is nothing, or if it is no object."""
    try:
        given = json.decode(text.encode())
    except (ValueError, UnicodeEncodeError):
        return text
    if not isinstance(given, dict):
        return text
    kept = {name: value for name, value in given.items() if not _is_in(value, drop.get(name, frozenset()))}
    return text if len(kept) == len(given) else json.encode(kept).decode()


def _is_in(value: object, refused: frozenset[object]) -> bool:
    return (value is None or value == "") and value in refused


class Optionals:
    """A stage. Input of tools without such parameters passes as it comes; other input is held until it is whole."""

    def __init__(self, tools: Mapping[str, FunctionTool]) -> None:
        self._tools = tools
        self._drop: Droppable = {}
        self._pieces: list[str] = []

    def feed(self, events: Sequence[StreamEvent]) -> Sequence[StreamEvent]:
        """Return what becomes of these events."""
        if not self._drop and not any(type(event) is BlockStart for event in events):
            return events
        passed: list[StreamEvent] = []
        for event in events:
            if self._drop and isinstance(event, ToolInputDelta):
                self._pieces.append(event.text)
                continue
            if self._drop and isinstance(event, BlockStop | StreamFailed):
                passed.extend(self._released(whole=isinstance(event, BlockStop)))
            elif isinstance(event, BlockStart) and isinstance(event.block, ToolCall):
                tool = self._tools.get(event.block.name)
                self._drop = droppable(tool) if tool is not None else {}
            passed.append(event)
        return passed

    def _released(self, *, whole: bool) -> Sequence[StreamEvent]:
        text = "".join(self._pieces)
        if whole:
            text = cleaned(text, self._drop)
        self._drop, self._pieces = {}, []
        return [ToolInputDelta(text)] if text else []
