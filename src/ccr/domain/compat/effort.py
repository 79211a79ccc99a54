"""An effort, or a kind of thinking, that a model does not know, made one that it knows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias, cast

__all__ = ["LEVELS", "chosen", "clamped_efforts", "clamped_thinking"]

Fields: TypeAlias = Mapping[str, object]

LEVELS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""In rising order, as wires spell them."""

_DEFAULT = "default"
_PLACES = (
    ("reasoning_effort",),
    ("reasoning", "effort"),
    ("output_config", "effort"),
    ("generationConfig", "thinkingConfig", "thinkingLevel"),
)
_MIN_BUDGET, _USUAL_BUDGET = 1024, 8192


def chosen(level: str, allowed: Sequence[str]) -> str | None:
    """Return the lowest allowed level that is at least this one, else the highest; None if none of them is a level."""
    known = sorted((word for word in allowed if word in LEVELS), key=LEVELS.index)
    if not known:
        return _DEFAULT if _DEFAULT in allowed else None
    rank = LEVELS.index(level) if level in LEVELS else len(LEVELS)
    return next((word for word in known if LEVELS.index(word) >= rank), known[-1])


def clamped_efforts(fields: Fields, allowed: Sequence[str]) -> Fields:
    """Return the fields in which every effort is an allowed one; one for which there is no other is left out."""
    for place in _PLACES:
        fields = cast("Fields", _clamped(fields, place, allowed))
    return fields


def _clamped(outer: object, place: Sequence[str], allowed: Sequence[str]) -> object:
    if not isinstance(outer, Mapping) or place[0] not in outer:
        return outer
    name, inner = place[0], outer[place[0]]
    if len(place) > 1:
        return {**outer, name: _clamped(inner, place[1:], allowed)}
    if not isinstance(inner, str) or inner.lower() in allowed:
        return outer
    level = chosen(inner.lower(), allowed)
    if level is None:
        return {key: kept for key, kept in outer.items() if key != name}
    # Gemini's levels are in capitals in some versions of its API.
    return {**outer, name: level.upper() if inner.isupper() else level}


def clamped_thinking(fields: Fields, allowed: Sequence[str]) -> Fields:
    """Return the fields with an allowed ``thinking.type``, or without ``thinking`` (claude-code-contract.md)."""
    thinking = fields.get("thinking")
    kind = thinking.get("type") if isinstance(thinking, Mapping) else None
    if not isinstance(thinking, Mapping) or not isinstance(kind, str) or kind in allowed:
        return fields
    rest = {name: inner for name, inner in thinking.items() if name not in ("type", "budget_tokens")}
    if kind == "enabled" and "adaptive" in allowed:
        return {**fields, "thinking": {**rest, "type": "adaptive"}}
    limit = fields.get("max_tokens")
    room = limit // 2 if isinstance(limit, int) else 0
    if kind == "adaptive" and "enabled" in allowed and room >= _MIN_BUDGET:
        told = {"type": "enabled", "budget_tokens": min(_USUAL_BUDGET, room)}
        return {**fields, "thinking": {**rest, **told}}
    return {name: inner for name, inner in fields.items() if name != "thinking"}
