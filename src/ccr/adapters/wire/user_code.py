"""Python files of the user's: read only if nobody else could have written them, and run in modules of their own.

They run with our rights and can do all that we can do.
"""

from __future__ import annotations

import os
import stat
import sys
import traceback
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

from ccr.application.contained import Faults, contained, sentence
from ccr.domain.errors import ConfigError

__all__ = ["Refuse", "forget", "module_of", "source_of"]

Refuse: TypeAlias = Callable[[str, int, int, str], ConfigError]
"""Makes the error: message, line and column in the file (0 = none), hint."""

_MOST_BYTES = 1024 * 1024
"""Bytes of a file; nobody writes more of it by hand."""

_numbers = count(1)


def source_of(path: Path, refuse: Refuse, *, folder: bool = False) -> bytes:
    """Read the file. Raises what ``refuse`` makes if somebody else could have written it.

    ``folder``: nobody else may be able to put another file in its place either.
    """
    try:
        if folder:
            # Of a link, both: where it lies, and where it leads.
            for parent in dict.fromkeys((path.parent, path.resolve().parent)):
                _check_owner(parent.stat(), parent, refuse, "its folder ")
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise refuse("is not a file", 0, 0, "")
            _check_owner(status, path, refuse, "")
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise refuse(f"cannot be read: {error.strerror or error}", 0, 0, "") from error


def _check_owner(status: os.stat_result, path: Path, refuse: Refuse, what: str) -> None:
    # Root may run a file of root only, and everybody else a file of theirs or of root.
    if status.st_uid not in {os.geteuid(), 0}:
        raise refuse(f"{what}belongs to another user", 0, 0, "it runs with your rights: own it")
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise refuse(f"{what}can be written by others", 0, 0, f"chmod go-w {path}")


def module_of(path: Path, source: bytes, refuse: Refuse, *, prefix: str) -> ModuleType:
    """Run the source in a new module. Raises what ``refuse`` makes, with the line, of whatever it raises."""
    module = ModuleType(f"{prefix}_{next(_numbers)}")
    module.__file__ = str(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 0, getattr(error, "offset", None) or 0
        raise refuse(sentence(error), line, column, "") from error
    # Dataclasses and the like look their module up by name.
    sys.modules[module.__name__] = module
    with contained(prefix, Faults()) as outcome:
        try:
            exec(code, module.__dict__)  # noqa: S102 -- running this file is what the user asked for
        except SystemExit as error:
            raise RuntimeError("it calls sys.exit()").with_traceback(error.__traceback__) from error
    if outcome.error is not None:
        forget(module)
        raise refuse(outcome.because, _line(outcome.error, str(path)), 0, "") from outcome.error
    return module


def forget(module: ModuleType) -> None:
    """Let a module go that nobody will look up any more."""
    sys.modules.pop(module.__name__, None)


def _line(error: Exception, path: str) -> int:
    """Return the last line of the file itself that the error came through; 0 = none."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == path), 0)
