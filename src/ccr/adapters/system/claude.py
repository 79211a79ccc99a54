"""Claude Code's own settings files: read, never written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

__all__ = ["Overridden", "overridden"]


@frozen
class Overridden:
    """A settings file sets ``name`` in its ``env`` block, which wins over the environment that we give."""

    file: Path
    name: str


def overridden(variables: Mapping[str, str | None], home: Path, project: Path) -> list[Overridden]:
    """Return the variables that a settings file sets to something else; None = the variable is to be unset.

    ``home`` is the client's ``~/.claude``. A file that is missing or is not JSON overrides nothing.
    """
    files = (
        home / "settings.json",
        project / ".claude/settings.json",
        project / ".claude/settings.local.json",
    )
    found = []
    for file in dict.fromkeys(path.absolute() for path in files):
        env = _env_block(file)
        found += [
            Overridden(file, name)
            for name, ours in variables.items()
            if name in env and env[name] != (ours if ours is not None else "")
        ]
    return found


def _env_block(file: Path) -> Mapping[str, object]:
    try:
        content = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    env = content.get("env") if isinstance(content, dict) else None
    return env if isinstance(env, dict) else {}
