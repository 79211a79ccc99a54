"""The configuration in a file."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

from attrs import define, field

from ccr.adapters.config import ancestor, files
from ccr.adapters.config.document import Document
from ccr.adapters.config.json5 import Object
from ccr.adapters.config.load import load, placed, revision_of
from ccr.adapters.config.modes import check_modes
from ccr.adapters.config.paths import Paths
from ccr.adapters.config.problems import format_path
from ccr.application.ports.config import Change, Loaded
from ccr.domain.errors import ConfigError, Problem
from ccr.domain.value import evolve

__all__ = ["FileConfigStore", "first_config", "first_text"]

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
MAX_BYTES = 16 * 1024 * 1024
"""Of the file; the parser's own bound is in characters."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@define(eq=False)
class FileConfigStore:
    """``path`` is the file; ``environ`` expands its variables. ``private``: the directory that becomes 0700.

    Not for two edits at once in one process: they are serialised by a lock file, each in its thread.
    """

    path: Path
    environ: Mapping[str, str] = field(repr=False)
    strict: bool = False
    private: Path | None = None
    now: Callable[[], datetime] = _utc_now

    @classmethod
    def of(cls, paths: Paths, environ: Mapping[str, str], *, strict: bool = False) -> FileConfigStore:
        """The store of an installation."""
        return cls(paths.config, environ, strict, paths.home)

    async def load(self) -> Loaded:
        import asyncio  # the command line reads files without it, and it is a tenth of a second

        return await asyncio.to_thread(self.load_now)

    async def edit(self, changes: Sequence[Change], *, expected_revision: str | None = None) -> Loaded:
        import asyncio

        return await asyncio.to_thread(self.edit_now, changes, expected_revision)

    def changes(self) -> AsyncIterator[None]:
        from ccr.adapters.config.watch import watch

        return watch(self.path)

    def load_now(self) -> Loaded:
        """As :meth:`load`, blocking. Raises ConfigError."""
        loaded = self._checked(self.read())
        wide = check_modes(self.path, loaded.settings)
        if wide is None:
            return loaded
        if wide.severity == "error":
            raise ConfigError([wide])
        return evolve(loaded, warnings=(*loaded.warnings, wide))

    def read(self) -> str:
        """The text as it stands. Raises ConfigError when it cannot be read."""
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except FileNotFoundError:
            raise self._error("there is no configuration here", "`ccr init` writes a first one") from None
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}", "check its permissions") from error
        if len(data) > MAX_BYTES:
            raise self._error(f"has more than {MAX_BYTES // 1024 // 1024} MB")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            raise self._error(f"is not UTF-8 text (line {line})", "save it as UTF-8") from None

    def place(self, error: ConfigError) -> ConfigError:
        """``error`` with positions for problems that only know their path, e.g. of the catalog compiler."""
        try:
            return placed(self.read(), error)
        except ConfigError:
            return error

    def edit_now(self, changes: Sequence[Change], expected_revision: str | None = None) -> Loaded:
        """As :meth:`edit`, blocking."""
        try:
            with files.locked(self.path):
                text = self.read()
                if expected_revision is not None and revision_of(text) != expected_revision:
                    raise self._error(
                        "somebody else has changed it since", "look at it again and repeat the change"
                    )
                edited = self._edited(text, changes)
                loaded = self._checked(edited)
                if edited != text:
                    self._write(text, edited)
                return loaded
        except FileNotFoundError:
            raise self._error("there is no configuration here", "`ccr init` writes a first one") from None
        except OSError as error:
            raise self._error(
                f"cannot be written: {error.strerror}",
                "free some space there"
                if error.errno in _NO_SPACE
                else "check the permissions of its directory",
            ) from error

    def _write(self, text: str, edited: str) -> None:
        directory = self.path.resolve().parent
        tighten = self.private is not None and directory == self.private.resolve()
        files.make_private_directory(directory, tighten=tighten)
        files.back_up(self.path, text.encode(), self.now())
        files.write_atomically(self.path, edited.encode())

    def _edited(self, text: str, changes: Sequence[Change]) -> str:
        document = Document.of(text)
        if document.faults:
            self._checked(text)
        for change in changes:
            path = _in_file(document, change.path)
            try:
                document = document.remove(path) if change.remove else document.set(path, change.value)
            except KeyError:
                raise self._error("there is no such place in the file", at=format_path(path)) from None
            except TypeError as error:
                raise self._error(str(error), at=format_path(path)) from None
        return document.text

    def _checked(self, text: str) -> Loaded:
        return load(text, file=str(self.path), environ=self.environ, strict=self.strict)

    def _error(self, message: str, hint: str = "", *, at: str = "$") -> ConfigError:
        return ConfigError([Problem(str(self.path), 0, 0, at, message, hint)])


def _in_file(document: Document, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """``path`` under the spelling that the file uses: ``providers`` where there are no ``Providers``."""
    if not path or not isinstance(document.root, Object) or document.node(path[:1]) is not None:
        return path
    spellings = (alias for alias, name in ancestor.ALIASES.items() if name == path[0])
    used = next((alias for alias in spellings if document.node((alias,)) is not None), path[0])
    return (used, *path[1:])


def first_text() -> str:
    """The commented first configuration."""
    return resources.files("ccr.adapters.config").joinpath("first_config.json5").read_text(encoding="utf-8")


def first_config(path: Path) -> bool:
    """Write the first configuration unless something is there already; whether it was written.

    Raises OSError when the directory cannot be made or written.
    """
    if path.is_symlink() or path.exists():
        return False
    files.make_private_directory(path.parent)
    try:
        files.create_private(path, first_text().encode())
    except FileExistsError:
        return False
    return True
