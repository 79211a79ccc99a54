"""Tools and the choice among them, as a caller of this dialect declares them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ccr.adapters.dialects.gemini.read_schemas import json_schema
from ccr.adapters.dialects.gemini.wire import NAME, STRING, Raw, fields, get, object_of, opening
from ccr.adapters.wire import json
from ccr.adapters.wire.complaint import elements, invalid
from ccr.domain.conversation import FunctionTool, HostedTool, SearchOptions, ToolChoice, ToolMode
from ccr.domain.verbatim import Json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ccr.domain.conversation import Tool

__all__ = ["SEARCHES", "kinds_of", "read_choice", "read_tools"]

SEARCHES = frozenset({"googleSearch", "googleSearchRetrieval"})
_SEARCH = "web_search"
_FUNCTIONS = "functionDeclarations"
_KNOWN = frozenset({"name", "description", "parameters", "parametersJsonSchema"})
_MODES = {"AUTO": ToolMode.AUTO, "ANY": ToolMode.REQUIRED, "NONE": ToolMode.NONE, "VALIDATED": ToolMode.AUTO}
_STRINGS = msgspec.json.Decoder(list[str])


def read_tools(raw: bytes) -> tuple[Tool, ...]:
    """Read ``tools``. Pure: it may be memoised. Raises InvalidRequestError with a path inside it."""
    return tuple(
        tool for index, entry in enumerate(elements(raw, "")) for tool in _entry(entry, f"[{index}]")
    )


def _entry(raw: Raw, path: str) -> Iterator[Tool]:
    for kind, value in fields(raw, path).items():
        if kind == _FUNCTIONS:
            declared = elements(value, f"{path}.{_FUNCTIONS}")
            yield from (_function(one, f"{path}.{_FUNCTIONS}[{index}]") for index, one in enumerate(declared))
            continue
        whole = Json(json.encode_wire({kind: Raw(bytes(value))}))
        if kind in SEARCHES:
            blocked = object_of(value).get("excludeDomains")
            domains = tuple(map(str, blocked)) if isinstance(blocked, list) else ()
            yield HostedTool(_SEARCH, _SEARCH, NAME, whole, SearchOptions(blocked_domains=domains))
        else:
            yield HostedTool(kind, kind, NAME, whole)


def _function(raw: Raw, path: str) -> FunctionTool:
    found = fields(raw, path)
    name = get(found, "name", STRING, path)
    if not name:
        raise invalid(f"{path}.name", "a function needs a name")
    extra = tuple((key, json.json_of(value)) for key, value in found.items() if key not in _KNOWN)
    return FunctionTool(
        name, get(found, "description", STRING, path) or "", _schema(found, path), extra=extra, dialect=NAME
    )


def _schema(found: dict[str, Raw], path: str) -> Json:
    for key in ("parametersJsonSchema", "parameters"):
        raw = found.get(key)
        if raw is None:
            continue
        if opening(raw) != b"{":
            raise invalid(f"{path}.{key}", "must be an object")
        if key == "parametersJsonSchema":
            return json.json_of(raw)
        return Json(json.encode_wire(json_schema(object_of(raw))))
    return FunctionTool(path).schema


def kinds_of(raw: Raw) -> tuple[int, tuple[str, ...]]:
    """Return how many tools are offered, and the kinds of those that the provider runs. Raises InvalidRequestError."""
    count, kinds = 0, list[str]()
    for index, entry in enumerate(elements(raw, "tools")):
        for kind, value in fields(entry, f"tools[{index}]").items():
            if kind == _FUNCTIONS:
                count += len(elements(value, f"tools[{index}].{_FUNCTIONS}"))
            else:
                count += 1
                kinds.append(_SEARCH if kind in SEARCHES else kind)
    return count, tuple(kinds)


def read_choice(raw: Raw | None) -> tuple[ToolChoice | None, bool]:
    """Return the choice of a ``toolConfig``, and whether that says more than the choice does."""
    if raw is None:
        return None, False
    config = fields(raw, "toolConfig").get("functionCallingConfig")
    if config is None:
        return None, False
    found = fields(config, "toolConfig.functionCallingConfig")
    word = (get(found, "mode", STRING, "toolConfig.functionCallingConfig") or "").upper()
    allowed = get(found, "allowedFunctionNames", _STRINGS, "toolConfig.functionCallingConfig") or []
    mode = _MODES.get(word, ToolMode.AUTO)
    more = word == "VALIDATED" or len(allowed) > 1 or "streamFunctionCallArguments" in found
    if mode is ToolMode.REQUIRED and len(allowed) == 1:
        return ToolChoice(ToolMode.NAMED, allowed[0]), more
    return ToolChoice(mode), more
