"""Routers of projects and sessions: files of the ancestor that replace ``Router`` for one session."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from attrs import define, field

from ccr.adapters.config.load import load_router
from ccr.adapters.config.paths import Paths
from ccr.application.settings import RouterSettings, Settings
from ccr.domain.errors import ConfigError, Problem

__all__ = ["ProjectRouters"]

_SESSION = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""It becomes a file name, so nothing else is looked up."""
MAX_SESSIONS = 1000
RECHECK_SECONDS = 5.0
"""A session that has no transcript yet may have one soon: nothing is remembered for longer."""
MAX_BYTES = 1024 * 1024


@define(eq=False)
class ProjectRouters:
    """Looks for ``<home>/<project>/<session>.json`` and ``<home>/<project>/config.json``. Blocking: call in a thread.

    The project is the folder of Claude Code's transcript of that session. ``problem`` is told what is wrong with a
    file, which is then passed over. Works only where gateway and client share a home directory.
    """

    paths: Paths
    environ: Mapping[str, str] = field(repr=False)
    monotonic: Callable[[], float]
    problem: Callable[[Problem], None] = lambda _: None
    _folders: dict[str, tuple[float, str | None]] = field(factory=dict, init=False)
    _files: dict[Path, tuple[tuple[int, ...], Settings, RouterSettings | None]] = field(
        factory=dict, init=False
    )

    def find(self, session: str, settings: Settings) -> RouterSettings | None:
        """The router of a session, None = the global one. Never raises for what is in a file."""
        if not settings.router.session_routers or not _SESSION.fullmatch(session):
            return None
        folder = self._folder(session)
        if folder is None:
            return None
        for name in (f"{session}.json", "config.json"):
            router = self._router(self.paths.home / folder / name, settings)
            if router is not None:
                return router
        return None

    def _folder(self, session: str) -> str | None:
        now = self.monotonic()
        known = self._folders.get(session)
        if known is not None and (known[1] is not None or now - known[0] < RECHECK_SECONDS):
            return known[1]
        found: str | None = None
        try:
            found = next((t.parent.name for t in self.paths.claude_projects.glob(f"*/{session}.jsonl")), None)
        except OSError:
            found = None
        if len(self._folders) >= MAX_SESSIONS:
            self._folders.pop(next(iter(self._folders)))
        self._folders[session] = (now, found)
        return found

    def _router(self, path: Path, settings: Settings) -> RouterSettings | None:
        try:
            status = path.stat()
        except OSError:
            return None
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._files.get(path)
        if known is not None and known[0] == stamp and known[1] is settings:
            return known[2]
        router = self._read(path, settings)
        if len(self._files) >= MAX_SESSIONS:
            self._files.pop(next(iter(self._files)))
        self._files[path] = (stamp, settings, router)
        return router

    def _read(self, path: Path, settings: Settings) -> RouterSettings | None:
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES).decode()
            found = load_router(text, file=str(path), environ=self.environ, settings=settings)
        except ConfigError as error:
            for problem in error.problems:
                self.problem(problem)
            return None
        except (OSError, UnicodeDecodeError) as error:
            self.problem(Problem(str(path), 0, 0, "$", f"cannot be read: {error}"))
            return None
        if found is None:
            return None
        for warning in found[1]:
            self.problem(warning)
        return found[0]
