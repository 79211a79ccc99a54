"""Log lines for people at a terminal: short, one line each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["render"]

_SKIPPED = frozenset({"event", "level", "timestamp", "trace"})


def render(event: Mapping[str, Any]) -> str:
    """Return ``12:00:01 info  request  id=... status=200``."""
    clock = str(event.get("timestamp", ""))[11:19]
    rest = " ".join(
        f"{key}={_shown(value)}"
        for key, value in event.items()
        if key not in _SKIPPED and value not in (None, "", [], {})
    )
    line = f"{clock} {event.get('level', ''):<7} {_shown(event.get('event', ''))}  {rest}".rstrip()
    trace = event.get("trace")
    return f"{line}\n{trace}" if trace else line


def _shown(value: object) -> str:
    """One line whatever is in it: a caller's line ends and escape codes must not look like lines of ours."""
    text = str(value)
    if not text.isprintable():
        text = "".join(char if char.isprintable() else "?" for char in text)
    return f'"{text}"' if " " in text else text
