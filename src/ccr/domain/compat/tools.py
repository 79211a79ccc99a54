"""Tools without a keyword, a field or a cache mark; names, words, properties and references stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from ccr.domain.compat.names import FLAGS, KEYWORDS, MARKS, SCHEMAS, plain

__all__ = ["without_flag", "without_keyword", "without_mark"]

Fields: TypeAlias = Mapping[str, object]
_Entry: TypeAlias = Mapping[str, object]

_NAMED = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""What is under these are names of the tool's own."""

_DATA = frozenset({"enum", "const", "default", "examples", "required"})
"""What is under these is no schema."""

_DEEPEST = 64


def without_keyword(fields: Fields, keyword: str) -> Fields:
    """Return the fields whose tools have schemas without this keyword, wherever it stands as a keyword."""
    if keyword not in KEYWORDS:
        return fields

    def bare(entry: _Entry) -> _Entry:
        return {
            name: _schema(inner, keyword, _DEEPEST) if plain(name) in SCHEMAS else inner
            for name, inner in entry.items()
        }

    return _each(fields, bare)


def without_flag(fields: Fields, flag: str) -> Fields:
    """Return the fields whose tools have no field of this name."""
    if flag not in FLAGS:
        return fields
    return _each(fields, lambda entry: {name: inner for name, inner in entry.items() if name != flag})


def without_mark(fields: Fields, mark: str) -> Fields:
    """Return the fields without cache marks on tools and system prompt, or without a field of these marks."""
    if mark not in MARKS:
        return fields
    made = dict(fields)
    for name in ("tools", "system"):
        blocks = made.get(name)
        if isinstance(blocks, list):
            made[name] = [_unmarked(block, mark) for block in blocks]
    return made


def _unmarked(block: object, mark: str) -> object:
    if not isinstance(block, Mapping) or "cache_control" not in block:
        return block
    inner = block["cache_control"]
    if mark == "cache_control" or not isinstance(inner, Mapping):
        return {name: kept for name, kept in block.items() if name != "cache_control"}
    return {**block, "cache_control": {name: kept for name, kept in inner.items() if name != mark}}


def _each(fields: Fields, change: Callable[[_Entry], _Entry]) -> Fields:
    """Change every tool where it says what it is: on top (Anthropic, Responses), or further in."""
    tools = fields.get("tools")
    if not isinstance(tools, list):
        return fields
    return {**fields, "tools": [_tool(tool, change) for tool in tools]}


def _tool(tool: object, change: Callable[[_Entry], _Entry]) -> object:
    if not isinstance(tool, Mapping):
        return tool
    made = dict(change(tool))
    if isinstance(made.get("function"), Mapping):
        made["function"] = _tool(made["function"], change)
    for name in ("functionDeclarations", "function_declarations"):
        declared = made.get(name)
        if isinstance(declared, list):
            made[name] = [_tool(one, change) for one in declared]
    return made


def _schema(schema: object, keyword: str, deeper: int) -> object:
    if isinstance(schema, list):
        return [_schema(one, keyword, deeper - 1) for one in schema]
    if not isinstance(schema, Mapping) or deeper < 0:
        return schema
    return {name: _value(name, inner, keyword, deeper) for name, inner in schema.items() if name != keyword}


def _value(name: str, inner: object, keyword: str, deeper: int) -> object:
    if name in _DATA:
        return inner
    if name in _NAMED and isinstance(inner, Mapping):
        return {named: _schema(one, keyword, deeper - 1) for named, one in inner.items()}
    return _schema(inner, keyword, deeper - 1)
