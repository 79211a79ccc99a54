"""Transformers of the user's own: Python files that the configuration names (``transformers: [{path, options}]``)."""

from __future__ import annotations

import weakref
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ccr.adapters.plugins.found import Found, checked, option_names
from ccr.adapters.wire.user_code import forget, module_of, source_of
from ccr.application.ports.transformer import Transformer
from ccr.domain.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ccr.application.settings import Settings, TransformerFile

__all__ = ["configured_transformers"]


def configured_transformers(settings: Settings) -> tuple[Found, ...]:
    """Load every file. Raises ConfigError with every problem: the configuration's position, the file and its line."""
    found: list[Found] = []
    problems: list[Problem] = []
    for entry in settings.transformers:
        try:
            found.extend(_loaded(entry, settings.source))
        except ConfigError as error:
            problems.extend(error.problems)
    problems.extend(_twice(found, settings))
    if problems:
        raise ConfigError(problems)
    return tuple(found)


def _loaded(entry: TransformerFile, source: str) -> list[Found]:
    # A path that is not absolute is meant from the configuration's folder.
    path = Path(source).absolute().parent / Path(entry.path).expanduser()

    def refuse(
        message: str, line: int = 0, column: int = 0, hint: str = "", key: str = "path"
    ) -> ConfigError:
        del column
        place = f"{path}:{line}" if line else str(path)
        return ConfigError([Problem(source, 0, 0, f"{entry.where}.{key}", f"{place}: {message}", hint=hint)])

    module = module_of(path, source_of(path, refuse, folder=True), refuse, prefix="ccr_transformers")
    try:
        kinds = _kinds(module)
        if not kinds:
            raise refuse(
                "defines no transformer",
                hint="a class with a `name` and a hook: docs/tutorials/write-a-transformer.md",
            )
        for kind in kinds:
            wrong = checked(kind)
            if wrong:
                raise refuse(wrong, _line(kind))
        stray = _stray(entry.options, kinds)
        if stray:
            raise refuse(stray, key="options")
    except ConfigError:
        forget(module)
        raise
    found = [Found(kind.name, kind, str(path), _own(entry.options, kind)) for kind in kinds]
    # The module holds its classes, so it goes with the one thing of ours that it does not hold.
    weakref.finalize(found[0], forget, module)
    return found


def _kinds(module: ModuleType) -> list[type[Any]]:
    """Return the classes that the file itself defines and that mean to be transformers."""
    own = [
        value
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    return [
        kind for kind in own if issubclass(kind, Transformer) or isinstance(getattr(kind, "name", None), str)
    ]


def _line(kind: type[Any]) -> int:
    """Return a line of the class, by its first method; 0 = it has none."""
    codes = (getattr(value, "__code__", None) for value in vars(kind).values())
    return min(
        (code.co_firstlineno for code in codes if code is not None and not code.co_filename.startswith("<")),
        default=0,
    )


def _stray(options: Iterable[str], kinds: list[type[Any]]) -> str:
    known = [option_names(kind) for kind in kinds]
    if None in known:
        return ""
    names = [name for one in known for name in one or ()]
    stray = [name for name in options if name not in names]
    if not stray:
        return ""
    near = get_close_matches(stray[0], names, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    return f"no transformer of this file has the option {', '.join(map(repr, stray))}{hint}"


def _own(options: Any, kind: type[Any]) -> dict[str, object]:
    known = option_names(kind)
    return {name: value for name, value in options.items() if known is None or name in known}


def _twice(found: list[Found], settings: Settings) -> list[Problem]:
    seen: dict[str, Found] = {}
    problems = []
    for one in found:
        first = seen.setdefault(one.name.lower(), one)
        if first is not one:
            text = f"the transformer {one.name!r} is defined by {first.origin} and by {one.origin}"
            problems.append(Problem(settings.source, 0, 0, "transformers", text))
    return problems
