"""Transformers that other packages ship, by the entry point group ``ccr.transformers``.

An entry point's value is a class (``acme_ccr:Shout``). What is installed for ccr must load: one that does not stops the start.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from importlib import metadata

from ccr.adapters.plugins.found import Found, checked
from ccr.application.contained import Faults, contained
from ccr.domain.errors import ConfigError, Problem

__all__ = ["GROUP", "installed_transformers"]

GROUP = "ccr.transformers"


def installed_transformers(points: Iterable[metadata.EntryPoint] | None = None) -> tuple[Found, ...]:
    """Return what other packages ship, in the order of their names.

    Raises ConfigError that names the distribution, the entry point and, where it is known, file and line.
    """
    chosen = metadata.entry_points(group=GROUP) if points is None else points
    found: dict[str, Found] = {}
    problems: list[Problem] = []
    for point in sorted(chosen, key=lambda point: (point.name, point.value)):
        origin = "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"
        kind: object = None
        with contained("plugin", Faults()) as outcome:
            kind = point.load()
        wrong = _why(outcome.error, outcome.because) if outcome.error is not None else checked(kind)
        if wrong or not isinstance(kind, type):
            problems.append(_problem(origin, point, wrong))
            continue
        one = Found(str(getattr(kind, "name", "")), kind, origin)
        first = found.setdefault(one.name.lower(), one)
        if first is not one and first.kind is not kind:
            problems.append(_problem(origin, point, f"{first.origin} has a transformer {one.name!r} too"))
    if problems:
        raise ConfigError(problems)
    return tuple(found.values())


def _why(error: Exception, because: str) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    place = (getattr(error, "filename", None), getattr(error, "lineno", None))
    file, line = place if isinstance(error, SyntaxError) else (last.filename, last.lineno)
    return f"{file}:{line}: {because}"


def _problem(origin: str, point: metadata.EntryPoint, text: str) -> Problem:
    return Problem(origin, 0, 0, f"entry point {GROUP} {point.name!r}", text)
