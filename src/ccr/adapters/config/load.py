"""A configuration text into Settings, or every problem at once."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from attrs import define

from ccr.adapters.config import ancestor
from ccr.adapters.config.checks import check, provider_of
from ccr.adapters.config.document import Document
from ccr.adapters.config.expand import Expansion, Missing, expand, mask
from ccr.adapters.config.problems import Path, Problems, format_path, parse_path
from ccr.adapters.config.schema import Root, keys_of
from ccr.adapters.config.settings import Surroundings, to_settings
from ccr.adapters.config.structure import structure
from ccr.adapters.config.unknown import look_for_unknown
from ccr.application.ports.config import Loaded
from ccr.domain.errors import ConfigError, Problem

__all__ = ["load", "locate", "placed", "revision_of"]

_HARMLESS = frozenset({"StatusLine", "Logging", "plugins", "Team", "Ledger", "CLAUDE_PATH", "$schema",
                       "Search", "LOG_FILE", "ANTHROPIC_SMALL_FAST_MODEL"})  # fmt: skip
"""Blocks in which an unset variable only warns."""
_PROVIDER_NEEDS = frozenset({"name", "api_base_url"})


@define
class _Read:
    """A text on its way: parsed, expanded, in today's form."""

    problems: Problems
    expansion: Expansion
    value: dict[str, Any]
    missing_model: bool = False


def revision_of(text: str) -> str:
    """A short digest: equal text, equal revision."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def load(
    text: str,
    *,
    file: str,
    environ: Mapping[str, str],
    strict: bool = False,
    read_file: Callable[[str], str] | None = None,
) -> Loaded:
    """Parse, expand and check ``text``; ``file`` is its name in messages.

    Pure but for ``${file:...}``, which ``read_file`` answers. ``strict``: unknown keys are errors. Raises ConfigError
    with every error and warning.
    """
    read = _read(text, file, environ, strict=strict, read_file=read_file)
    problems = read.problems
    look_for_unknown(read.value, Root, problems, strict=strict)
    unset = {
        path
        for missing in read.expansion.missing
        if (path := ancestor.canonical(missing.path))[0] == "Providers"
    }
    root = structure(read.value, Root, problems, excused=unset)
    if root is not None and read.missing_model:
        problems.error(("OPENAI_MODEL",), "OPENAI_MODEL is missing", 'for example "deepseek-chat"')
    _say_missing(read)
    if root is None:
        _check_the_rest(read)
        raise _error(problems)
    check(root, problems)
    surroundings = Surroundings(file, environ, _origins(read))
    settings = to_settings(root, read.value, surroundings, problems, _masked(read))
    if problems.errors:
        raise _error(problems)
    return Loaded(settings, problems.warnings, revision_of(text))


def _check_the_rest(read: _Read) -> None:
    """Say what else is wrong: the values that have no right shape are left out, and the others checked without them."""
    problems = read.problems
    rest = copy.deepcopy(read.value)
    told = {problem.path for problem in problems.errors}
    for path in map(parse_path, told):
        _leave_out(rest, ancestor.canonical(path))
    scratch = Problems(problems.file, problems.document, problems.moved)
    root = structure(rest, Root, scratch)
    if root is not None:
        scratch.found.clear()
        check(root, scratch)
        problems.found.extend(problem for problem in scratch.found if problem.path not in told)


def _leave_out(value: Any, path: Path) -> None:
    for step in path[:-1]:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return
    if path and isinstance(value, dict):
        value.pop(path[-1], None)


def locate(
    text: str, *, file: str, where: str, message: str, hint: str = "", severity: str = "error"
) -> Problem:
    """A Problem at ``where`` (a JSON path such as ``TransformerUse.where``) in ``text``."""
    document = Document.of(text)
    plain = document.plain() if not document.faults else None
    moved = ancestor.normalise(plain).moved if isinstance(plain, dict) else {}
    problems = Problems(file, document, moved)
    problems.add(parse_path(where), message, hint, severity=severity)
    return problems.found[0]


def placed(text: str, error: ConfigError) -> ConfigError:
    """The same error with line and column for problems that only know their JSON path in ``text``."""
    return ConfigError([problem if problem.line else _placed(text, problem) for problem in error.problems])


def _placed(text: str, problem: Problem) -> Problem:
    return locate(
        text,
        file=problem.file,
        where=problem.path,
        message=problem.message,
        hint=problem.hint,
        severity=problem.severity,
    )


def _read(
    text: str, file: str, environ: Mapping[str, str], *, strict: bool, read_file: Callable[[str], str] | None
) -> _Read:
    """Raises ConfigError when the text is not JSON5 or not an object."""
    document = Document.of(text)
    if document.faults:
        raise ConfigError([
            Problem(file, *document.place(fault.offset), "$", fault.message, fault.hint) for fault in document.faults
        ])  # fmt: skip
    problems = Problems(file, document)
    for first, path in document.repeated():
        line = document.place(first)[0]
        problems.add(
            path, f"the key {path[-1]!r} is given twice, first in line {line}; the last one counts",
            key=True, severity="error" if strict else "warning",
        )  # fmt: skip
    expansion = expand(document.plain(), environ, read_file)
    if not isinstance(expansion.value, dict):
        problems.error((), "the configuration should be an object { }")
        raise _error(problems)
    normalised = ancestor.normalise(expansion.value)
    for path, message, hint in normalised.notes:
        problems.warn(path, message, hint, key=True)
    for path, reference in expansion.odd:
        problems.warn(path, f"{reference} is not a reference and stays as it is", "a literal dollar is $$")
    problems.moved = normalised.moved
    return _Read(problems, expansion, normalised.value, normalised.missing_model)


def _say_missing(read: _Read) -> None:
    used = {name for block in ("Router", "fallback") for name in _named(read.value.get(block))}
    for missing in read.expansion.missing:
        severity = "error" if missing.fatal or _matters(missing, read.value, used) else "warning"
        read.problems.add(missing.path, missing.message, missing.hint, severity=severity)


def _named(value: object) -> Iterator[str]:
    """The providers that any text in a ``Router`` or ``fallback`` names, right or wrong."""
    if isinstance(value, str):
        yield provider_of(value).casefold()
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _named(item)


def _matters(missing: Missing, value: Mapping[str, Any], used: set[str]) -> bool:
    """Whether an unset variable is a reason not to start: in a provider that a route uses, or near security."""
    path = ancestor.canonical(missing.path)
    if path[0] == "Providers" and len(path) > 2:
        provider = value["Providers"][path[1]]
        name = str(provider.get("name") or "") if isinstance(provider, dict) else ""
        return path[2] in _PROVIDER_NEEDS or name.casefold() in used
    return path[0] in _KNOWN - _HARMLESS


def _origins(read: _Read) -> dict[str, str]:
    """Origin of each value in the file by its path in today's form; objects are told by what is in them."""
    origins: dict[Path, str] = {}

    def walk(value: object, path: Path) -> None:
        inner: list[tuple[str | int, object]] = []
        if isinstance(value, dict):
            inner = list(value.items())
        elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
            inner = list(enumerate(value))
        for step, item in inner:
            walk(item, (*path, step))
        if not inner:
            origins[path] = read.expansion.origins.get(path, "file")

    walk(read.expansion.value, ())
    origins |= read.expansion.origins
    told = {format_path(ancestor.canonical(path)): origin for path, origin in origins.items()}
    return told | {
        format_path(path): origins[real] for path, real in read.problems.moved.items() if real in origins
    }


def _masked(read: _Read) -> dict[str, object]:
    secrets = {ancestor.canonical(path) for path in read.expansion.secrets}
    masked = mask(read.value, secrets)
    assert isinstance(masked, dict)
    return masked


def _error(problems: Problems) -> ConfigError:
    return ConfigError([*problems.errors, *problems.warnings])


_KNOWN = frozenset({key.name for key in keys_of(Root)} | set(ancestor.FLAT_KEYS))
