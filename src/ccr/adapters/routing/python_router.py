"""The custom router: a Python file of the user's with ``async def route(request, config)``."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from ccr.adapters.routing.view import RequestView, frozen_json
from ccr.adapters.routing.worker import Worker
from ccr.adapters.wire.user_code import forget, module_of, source_of
from ccr.application.ports.routing import refusal
from ccr.domain.errors import ConfigError, Problem

if TYPE_CHECKING:
    from ccr.application.call import Call
    from ccr.application.counting import Counting
    from ccr.application.ports.dialect import ParsedCall

__all__ = ["PythonRouter", "PythonRouterLoader", "load_router"]

_KEY = "CUSTOM_ROUTER_PATH"


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
    refuse = partial(_error, str(where))
    module = module_of(where, source_of(where, refuse), refuse, prefix="ccr_custom_router")
    function = getattr(module, "route", None)
    if not callable(function):
        raise refuse("has no function `route`", hint="async def route(request, config): ...")
    router = PythonRouter(function, timeout=timeout, counting=counting)
    weakref.finalize(router, forget, module)
    return router


def _error(path: str, message: str, line: int = 0, column: int = 0, hint: str = "") -> ConfigError:
    place = (line, column or 1) if line else (0, 0)
    return ConfigError([Problem(path, *place, _KEY, message, hint=hint)])
