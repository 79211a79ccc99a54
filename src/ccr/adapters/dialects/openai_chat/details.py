"""``reasoning_details``: OpenRouter's list of what a model thought, text and encrypted; given back verbatim or not at all."""

from __future__ import annotations

from collections.abc import Mapping

from ccr.adapters.wire import json

__all__ = ["DETAILS", "add_detail", "detail_entries"]

DETAILS = "reasoning_details"
"""Form of the seal that is such a list, as JSON."""

_FRAGMENTS = ("text", "summary")
"""Fields of a detail that come in pieces."""


def detail_entries(data: str) -> list[object]:
    """Return the list that a seal of that form holds; nothing if it is none."""
    try:
        found = json.decode(data.encode())
    except ValueError:
        return []
    return found if isinstance(found, list) else []


def add_detail(details: list[dict[str, object]], entry: Mapping[str, object], *, join: bool) -> None:
    """Add a detail to those that there are; ``join``: it may be the next piece of the last one."""
    last = details[-1] if details else None
    if not join or last is None or any(last.get(name) != entry.get(name) for name in ("type", "index")):
        details.append(dict(entry))
        return
    pieces = [name for name in _FRAGMENTS if isinstance(entry.get(name), str)]
    if not pieces and not entry.get("signature"):
        details.append(dict(entry))
        return
    for name, value in entry.items():
        if name in pieces:
            last[name] = f"{last.get(name) or ''}{value}"
        elif value is not None:
            last[name] = value
