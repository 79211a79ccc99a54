"""The ancestor's router files of projects and sessions.

Claude Code keeps the transcript of a session at ``~/.claude/projects/<folder>/<session>.jsonl``, which tells the project.
Its router is the first of ``<home>/<folder>/<session>.json`` and ``<home>/<folder>/config.json`` that is there and has a
``Router`` (ccr-behaviour 2.4). Works where gateway and client share a home directory.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from ccr.adapters.wire import json
from ccr.application.ports.routing import SessionRouter

__all__ = ["SessionFiles"]

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_SESSIONS = 1000
_MOST_BYTES = 1024 * 1024
_OURS = frozenset({"logs", "state", "plugins", "presets", "temp", ".huggingface"})
"""Folders in our home that are no project's: ours, and those that the ancestor leaves behind."""


class SessionFiles:
    """:class:`ccr.application.ports.routing.SessionRouters` over the two directories.

    Only finds are remembered: a first request may come before Claude Code has begun its transcript. Nobody who has no
    such files pays for them: without a folder in our home directory that could hold one, a request costs one ``stat``.
    """

    def __init__(self, home: Path, projects: Path) -> None:
        self._home = home
        self._home_path = str(home)
        self._projects = projects
        self._folders: tuple[str, ...] = ()
        self._seen = -1
        self._found: OrderedDict[str, str] = OrderedDict()

    def may_find(self, session: str) -> bool:
        """Whether there is anything to look through."""
        return bool(self._candidates()) and _SESSION.fullmatch(session) is not None

    async def find(self, session: str) -> SessionRouter | None:
        """Return the narrowest router of a session. Raises ValueError on a file that is no JSON object."""
        if not self.may_find(session):
            return None
        return await asyncio.to_thread(self._look, session)

    def _candidates(self) -> tuple[str, ...]:
        try:
            changed = os.stat(self._home_path).st_mtime_ns  # noqa: PTH116  # asked for every request; pathlib costs as much again
            if changed != self._seen:
                found = (entry for entry in self._home.iterdir() if entry.name not in _OURS)
                self._folders = tuple(entry.name for entry in found if entry.is_dir())
                self._seen = changed
        except OSError:
            self._folders, self._seen = (), -1
        return self._folders

    def _look(self, session: str) -> SessionRouter | None:
        folder = self._folder(session)
        if folder is None:
            return None
        files = (("session", f"{session}.json"), ("project", "config.json"))
        for origin, name in files:
            router = _router(self._home / folder / name)
            if router is not None:
                return SessionRouter(origin, router)
        return None

    def _folder(self, session: str) -> str | None:
        known = self._found.get(session)
        if known is not None:
            return known
        for folder in self._folders:
            if (self._projects / folder / f"{session}.jsonl").is_file():
                self._found[session] = folder
                if len(self._found) > _MOST_SESSIONS:
                    self._found.popitem(last=False)
                return folder
        return None


def _router(path: Path) -> Mapping[str, object] | None:
    """Return the ``Router`` of a file, None if there is no such file or it has none. Raises ValueError."""
    try:
        with path.open("rb") as file:
            text = file.read(_MOST_BYTES)
    except OSError:
        return None
    try:
        found = json.decode(text)
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error
    router = found.get("Router") if isinstance(found, Mapping) else None
    return router if isinstance(router, Mapping) else None
