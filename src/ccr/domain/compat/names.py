"""Names in requests: which of them nobody may amend, and those that mean the same in another spelling."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "FLAGS",
    "HISTORY",
    "KEYWORDS",
    "MARKS",
    "SCHEMAS",
    "find",
    "is_protected",
    "paired_field",
    "plain",
    "steps_of",
]

HISTORY = frozenset({"messages", "input", "contents", "content", "prompt"})
"""What was said."""

_PROTECTED = HISTORY | {
    "model",
    "stream",
    "system",
    "systeminstruction",
    "instructions",
    "tools",
    "functions",
    "functiondeclarations",
    "anthropicversion",
}
"""What no complaint changes as a whole: the words, the model, the tools."""

SCHEMAS = frozenset({"parameters", "inputschema", "parametersjsonschema"})
"""Where a tool has its schema."""

KEYWORDS = frozenset(
    {
        "$comment",
        "$id",
        "$schema",
        "additionalProperties",
        "const",
        "contentEncoding",
        "contentMediaType",
        "default",
        "dependentRequired",
        "dependentSchemas",
        "deprecated",
        "else",
        "examples",
        "exclusiveMaximum",
        "exclusiveMinimum",
        "format",
        "if",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "multipleOf",
        "not",
        "pattern",
        "patternProperties",
        "propertyNames",
        "readOnly",
        "then",
        "title",
        "unevaluatedItems",
        "unevaluatedProperties",
        "uniqueItems",
        "writeOnly",
    }
)
"""Keywords of JSON schemas without which a tool takes at least what it took: no type, no property, no reference."""

FLAGS = frozenset({"allowed_callers", "defer_loading", "eager_input_streaming", "input_examples", "strict"})
"""Fields of a tool that are neither its name, its words nor its input."""

MARKS = frozenset({"cache_control", "scope", "ttl"})
"""A cache mark, and what may stand in one."""

_PAIRS = {
    "context-management": "context_management",
    "dangerous-tool-use": "safeguards",
    "effort": "output_config.effort",
    "fast-mode": "speed",
    "mcp-client": "mcp_servers",
    "message-threads": "thread",
    "skills": "container",
    "structured-outputs": "output_format",
}
"""Betas without their date, and the field of the body that needs each (claude-code-contract.md)."""

_DATE = re.compile(r"-\d{4}-\d{2}-\d{2}$")
_STEP = re.compile(r"[^.\[\]\s'\"`]+")


def plain(name: str) -> str:
    """Return a name as all spellings of it have it: ``generation_config`` and ``generationConfig`` are one."""
    return name.replace("_", "").lower()


def is_protected(path: str) -> bool:
    """Whether a path leads to what nobody may touch."""
    steps = steps_of(path)
    return not steps or plain(steps[0]) in _PROTECTED


def steps_of(path: str) -> tuple[str, ...]:
    """Cut ``tools[0].function.strict`` or ``tools.0.strict`` into its steps."""
    return tuple(_STEP.findall(path))


def find(names: Iterable[str], wanted: str) -> str | None:
    """Return the name as it is spelt here, None if it is not here."""
    spelt = list(names)
    if wanted in spelt:
        return wanted
    return next((name for name in spelt if plain(name) == plain(wanted)), None)


def paired_field(beta: str) -> str:
    """Return the path of the field that a beta is for; empty = none is known."""
    return _PAIRS.get(_DATE.sub("", beta), "")
