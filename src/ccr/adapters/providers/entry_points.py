"""Provider files that other packages ship, by the entry point group ``ccr.providers``.

An entry point's value names a file of a package (``acme_ccr:acme.toml``) or a package all of whose ``*.toml`` are read
(``acme_ccr.providers``). The files are those of ``docs/how-to/add-a-provider.md``. Importing the package runs its code,
as with any plugin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib import metadata, resources
from typing import TYPE_CHECKING

from cattrs import transform_error
from cattrs.v import format_exception

from ccr.adapters.providers.loader import PackagedProviders, provider_files, read_provider
from ccr.domain.errors import ConfigError, Problem

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

    from ccr.application.ports.provider import ProviderSpec

__all__ = ["GROUP", "entry_point_providers", "installed_providers"]

GROUP = "ccr.providers"

_AT_LINE = re.compile(r"\(at line (\d+), column (\d+)\)")


def entry_point_providers(
    points: Iterable[metadata.EntryPoint] | None = None,
) -> tuple[tuple[ProviderSpec, str], ...]:
    """Return what other packages ship, each with its origin (``acme-ccr 1.2``), in the order of their names.

    Raises ConfigError that names the distribution, the file and, where it is known, the line.
    """
    found = metadata.entry_points(group=GROUP) if points is None else points
    specs: list[tuple[ProviderSpec, str]] = []
    problems: list[Problem] = []
    for point in sorted(found, key=lambda point: (point.name, point.value)):
        origin = _origin(point)
        for path in _paths(point, origin, problems):
            spec = _read(path, origin, problems)
            if spec is not None:
                specs.append((spec, origin))
    if problems:
        raise ConfigError(problems)
    return tuple(specs)


def installed_providers() -> PackagedProviders:
    """Return the book of all providers of this installation; our own names win. Raises ConfigError, as above."""
    return PackagedProviders(more=(spec for spec, _ in entry_point_providers()))


def _origin(point: metadata.EntryPoint) -> str:
    return "an unknown package" if point.dist is None else f"{point.dist.name} {point.dist.version}"


def _paths(point: metadata.EntryPoint, origin: str, problems: list[Problem]) -> list[Traversable]:
    package, _, file = point.value.partition(":")
    try:
        folder = resources.files(package.strip())
        paths = [folder / file.strip()] if file.strip() else list(provider_files(folder))
    # Importing runs the package's own code, which may raise anything.
    except Exception as error:  # noqa: BLE001
        text = f"the package cannot be imported: {type(error).__name__}: {error}"
        problems.append(_problem(origin, point, text))
        return []
    if not paths:
        problems.append(_problem(origin, point, f"the package {package!r} has no *.toml"))
    return paths


def _problem(origin: str, point: metadata.EntryPoint, text: str) -> Problem:
    return Problem(origin, 0, 0, f"entry point {GROUP} {point.name!r}", text)


def _read(path: Traversable, origin: str, problems: list[Problem]) -> ProviderSpec | None:
    try:
        return read_provider(path.read_text("utf-8"), origin)
    except OSError as error:
        problems.append(Problem(f"{origin}: {path.name}", 0, 0, "file", f"cannot be read: {error.strerror}"))
    except (ValueError, ExceptionGroup) as error:
        for line, column, text in _told(error):
            problems.append(Problem(f"{origin}: {path.name}", line, column, "provider", text))
    return None


def _told(error: ValueError | ExceptionGroup[Exception]) -> list[tuple[int, int, str]]:
    if isinstance(error, ExceptionGroup):
        return [(0, 0, text) for text in transform_error(error, path="file", format_exception=_words)]
    place = _AT_LINE.search(str(error))
    return [(int(place[1]), int(place[2]), str(error)) if place else (0, 0, str(error))]


def _words(error: BaseException, kind: type | None) -> str:
    return str(error) if type(error) is ValueError else format_exception(error, kind)
