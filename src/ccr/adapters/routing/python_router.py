"""The custom router: a Python file of the user's with ``async def route(request, config)``."""

from __future__ import annotations

import asyncio
import os
import stat
import sys
import traceback
import weakref
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ccr.adapters.routing.view import RequestView, frozen_json
from ccr.adapters.routing.worker import Worker
from ccr.application.contained import Faults, contained, sentence
from ccr.application.ports.routing import refusal
from ccr.domain.errors import ConfigError, Problem

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.counting import Counting
    from ccr.application.ports.dialect import ParsedCall

__all__ = ["PythonRouter", "PythonRouterLoader", "load_router"]

_KEY = "CUSTOM_ROUTER_PATH"
_MOST_BYTES = 1024 * 1024
"""Bytes of a router file; nobody writes such a router by hand."""

_numbers = count(1)


class PythonRouter:
    """:class:`ccr.application.ports.routing.CustomRouter` over one loaded file.

    The function runs in a thread of its own: a router that blocks delays requests by its time limit, nothing else.
    """

    def __init__(
        self, function: Callable[..., Any], *, timeout: float, counting: Counting | None = None
    ) -> None:
        self._worker = Worker(function, "ccr-custom-router")
        self._timeout = timeout
        self._counting = counting

    async def route(self, call: Call, parsed: ParsedCall, config: Mapping[str, object]) -> str | None:
        """Ask the function. Raises TimeoutError, TypeError for an answer that is no text, and what it raises."""
        view = RequestView(call, parsed, self._counting)
        async with asyncio.timeout(self._timeout):
            answer = await self._worker(view, frozen_json(config))
        if answer is None or isinstance(answer, str):
            return (answer or "").strip() or None
        raise TypeError(f"route() returned {type(answer).__name__}, not a text or None")


@frozen
class PythonRouterLoader:
    """Loads routers by path; every reload of the configuration reads the file anew."""

    counting: Counting | None = None

    def __call__(self, path: str, timeout: float) -> PythonRouter:
        """Load. ``timeout`` is in seconds. Raises ConfigError that says what is wrong, with file and line."""
        return load_router(path, timeout, self.counting)


def load_router(path: str, timeout: float, counting: Counting | None = None) -> PythonRouter:
    """Load a router file into a module of its own. Raises ConfigError."""
    refused = refusal(path)
    if refused:
        raise _error(path, refused)
    where = Path(path).expanduser()
    module = _module(where, _source(where))
    function = getattr(module, "route", None)
    if not callable(function):
        raise _error(str(where), "has no function `route`", hint="async def route(request, config): ...")
    router = PythonRouter(function, timeout=timeout, counting=counting)
    weakref.finalize(router, sys.modules.pop, module.__name__, None)
    return router


def _source(path: Path) -> bytes:
    """Read the file, and refuse one that somebody else could have written: it runs with our rights."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise _error(str(path), "is not a file")
            # Root may run a file of root only, and everybody else a file of theirs or of root.
            if status.st_uid not in {os.geteuid(), 0}:
                raise _error(str(path), "belongs to another user", hint="it runs with your rights: own it")
            if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise _error(str(path), "can be written by others", hint=f"chmod go-w {path}")
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise _error(str(path), f"cannot be read: {error.strerror or error}") from error


def _module(path: Path, source: bytes) -> ModuleType:
    module = ModuleType(f"ccr_custom_router_{next(_numbers)}")
    module.__file__ = str(path)
    try:
        code = compile(source, str(path), "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line, column = getattr(error, "lineno", None) or 0, getattr(error, "offset", None) or 0
        raise _error(str(path), sentence(error), line=line, column=column) from error
    # Dataclasses and the like look their module up by name.
    sys.modules[module.__name__] = module
    with contained("custom router", Faults()) as outcome:
        try:
            exec(code, module.__dict__)  # noqa: S102 -- running this file is what the user asked for
        except SystemExit as error:
            raise RuntimeError("it calls sys.exit()").with_traceback(error.__traceback__) from error
    if outcome.error is not None:
        sys.modules.pop(module.__name__, None)
        raise _error(str(path), outcome.because, line=_line(outcome.error, str(path))) from outcome.error
    return module


def _line(error: Exception, path: str) -> int:
    """Return the last line of the file itself that the error came through; 0 = none."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno or 0 for frame in reversed(frames) if frame.filename == path), 0)


def _error(path: str, message: str, *, line: int = 0, column: int = 0, hint: str = "") -> ConfigError:
    place = (line, column or 1) if line else (0, 0)
    return ConfigError([Problem(path, *place, _KEY, message, hint=hint)])
