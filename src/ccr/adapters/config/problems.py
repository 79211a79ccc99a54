"""From a path in the configuration to a place in its text, and from what is wrong there to a Problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from attrs import define, field

from ccr.adapters.config.document import Document
from ccr.domain.errors import Problem

__all__ = ["Path", "Problems", "format_path", "nearest", "parse_path"]

Path = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z_$][\w$-]*")
_STEP = re.compile(r"\.?([A-Za-z_$][\w$-]*)|\[(\d+)\]|\[\"((?:[^\"\\]|\\.)*)\"\]")


def format_path(path: Path) -> str:
    """``("Providers", 0, "a/b")`` as ``Providers[0]["a/b"]``."""
    parts: list[str] = []
    for step in path:
        if isinstance(step, int):
            parts.append(f"[{step}]")
        elif _PLAIN_KEY.fullmatch(step):
            parts.append(f".{step}" if parts else step)
        else:
            quoted = step.replace("\\", "\\\\").replace('"', '\\"')
            parts.append(f'["{quoted}"]')
    return "".join(parts)


def parse_path(text: str) -> Path:
    """The inverse of :func:`format_path`."""
    path: list[str | int] = []
    for found in _STEP.finditer(text):
        name, index, quoted = found.groups()
        if index is not None:
            path.append(int(index))
        else:
            path.append(name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
    return tuple(path)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that ``name`` was most likely meant to be; empty if none is near."""
    by_fold = {other.casefold(): other for other in known}
    found = get_close_matches(name.casefold(), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else ""


@define
class Problems:
    """What is wrong with one configuration, in the order in which it was found.

    ``moved`` tells where a value that was brought into today's form really stands: prefix -> prefix.
    """

    file: str
    document: Document | None = None
    moved: Mapping[Path, Path] = field(factory=dict)
    found: list[Problem] = field(factory=list)

    def error(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.add(path, message, hint, key=key)

    def warn(self, path: Path, message: str, hint: str = "", *, key: bool = False) -> None:
        self.add(path, message, hint, key=key, severity="warning")

    def add(
        self, path: Path, message: str, hint: str = "", *, key: bool = False, severity: str = "error"
    ) -> None:
        """``key``: point at the key, not at its value."""
        real = self.real(path)
        line, column = self.document.position(real, key=key) if self.document else (0, 0)
        self.found.append(Problem(self.file, line, column, format_path(real) or "$", message, hint, severity))

    def real(self, path: Path) -> Path:
        """Where ``path`` stands in the file."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.moved:
                return self.moved[path[:length]] + path[length:]
        return path

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(sorted((p for p in self.found if p.severity == "error"), key=_place))

    @property
    def warnings(self) -> tuple[Problem, ...]:
        return tuple(sorted((p for p in self.found if p.severity != "error"), key=_place))


def _place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column
