"""``ccr config check | show | schema | edit | path``."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from ccr.domain.errors import ConfigError, Problem
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json, warn, warn_problems
from ccr.entrypoints.service import EXIT_CONFIG

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ccr.application.ports.config import Loaded

__all__ = ["config"]

_EDITORS = ("sensible-editor", "nano", "vi")


@click.group()
def config() -> None:
    """The configuration: check it, show it, edit it."""


@config.command()
@click.option("--strict", is_flag=True, help="Unknown keys are errors.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def check(*, strict: bool, as_json: bool) -> int:
    """Say everything that is wrong, as FILE:LINE:COLUMN. Exit code 78: it cannot be used."""
    place = bootstrap.paths()
    try:
        loaded = bootstrap.load(place, strict=strict)
        warnings = _compiled_warnings(place, loaded)
    except ConfigError as error:
        if not as_json:
            raise config_failed(error) from error
        emit_json({"ok": False, "file": str(place.config), "problems": [_problem(p) for p in error.problems]})
        return EXIT_CONFIG
    if as_json:
        facts = {"ok": True, "file": str(place.config), "revision": loaded.revision}
        emit_json({**facts, "problems": [_problem(p) for p in warnings]})
    else:
        warn_problems(warnings)
        emit(f"{place.config} is good (revision {loaded.revision})")
    return 0


@config.command()
@click.option("--origin", is_flag=True, help="Also who said so: the default, the file, or a variable.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(*, origin: bool, as_json: bool) -> None:
    """Show every value that is in effect; secrets are masked."""
    items = bootstrap.shown(_loaded().settings)
    if as_json:
        emit_json(items)
        return
    width = max((len(str(item["path"])) for item in items), default=0)
    for item in items:
        said = f"   ({item['origin']})" if origin else ""
        emit(f"{item['path']:<{width}}  {_text(item['value'])}{said}")


@config.command()
def schema() -> None:
    """Print the JSON Schema of the configuration."""
    emit(bootstrap.config_schema().rstrip("\n"))


@config.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def path(*, as_json: bool) -> None:
    """Print where the configuration is."""
    place = bootstrap.paths()
    if as_json:
        emit_json({"config": str(place.config), "home": str(place.home), "logs": str(place.logs)})
    else:
        emit(str(place.config))


@config.command()
def edit() -> None:
    """Edit a copy in $VISUAL or $EDITOR; it is installed only when it is valid."""
    place = bootstrap.paths()
    if bootstrap.write_first(place):
        warn(f"Wrote a first configuration: {place.config}")
    old = bootstrap.read_config(place)
    folder = Path(tempfile.mkdtemp(prefix="ccr-edit-"))
    copy = folder / "config.json5"
    copy.touch(0o600)
    copy.write_text(old, "utf-8")
    try:
        new = _edited(place, copy, old)
    except CommandError as error:
        warn(f"Your text is kept in {copy}; {place.config} was not touched.")
        raise error from None
    copy.unlink()
    folder.rmdir()
    if new == old:
        emit("Nothing was changed")
        return
    bootstrap.replace_config(place, old, new)
    emit(f"Installed {place.config}; a running gateway takes it at once")


def _edited(place: bootstrap.Paths, copy: Path, old: str) -> str:
    """Let the person edit until the text is valid or they give up. Raises CommandError."""
    while True:
        _open_editor(copy)
        new = copy.read_text("utf-8")
        if new == old:
            return new
        try:
            warn_problems(_compiled_warnings(place, bootstrap.check_text(place, new)))
            return new
        except ConfigError as error:
            failed = config_failed(error)
            warn(failed.message)
            if not sys.stdin.isatty() or not click.confirm("Edit again?", default=True, err=True):
                raise CommandError("", "", code=EXIT_CONFIG) from error


def _open_editor(copy: Path) -> None:
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    for command in [shlex.split(named)] if named else [[name] for name in _EDITORS]:
        try:
            code = subprocess.call([*command, str(copy)])
        except FileNotFoundError:
            continue
        if code:
            raise CommandError(f"{command[0]} ended with exit code {code}")
        return
    raise CommandError(f"no editor was found ({named or ', '.join(_EDITORS)})", "set EDITOR")


def _compiled_warnings(place: bootstrap.Paths, loaded: Loaded) -> Sequence[Problem]:
    """As in ``offline``, which is imported when it is needed: it stands for the whole gateway."""
    from ccr.entrypoints.cli import offline

    return offline.compiled_warnings(place, loaded)


def _loaded() -> Loaded:
    try:
        return bootstrap.load(bootstrap.paths())
    except ConfigError as error:
        raise config_failed(error) from error


def _problem(problem: Problem) -> dict[str, object]:
    return {
        "severity": problem.severity,
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
        "hint": problem.hint,
    }


def _text(value: object) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, default=str)
