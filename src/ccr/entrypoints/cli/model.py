"""``ccr model``: which model answers which kind of request."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import rich_click as click

from ccr.application.ports.config import Change
from ccr.domain.errors import ConfigError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json
from ccr.entrypoints.cli.running import load_settings
from ccr.entrypoints.cli.service import routes_of
from ccr.entrypoints.service import EXIT_USAGE

if TYPE_CHECKING:
    from ccr.application.settings import Settings

__all__ = ["model"]

_SCENARIOS = ("default", "background", "think", "longContext", "webSearch", "image", "compaction", "subagent")


@click.command()
@click.option(
    "--set",
    "changes",
    nargs=2,
    multiple=True,
    metavar="SCENARIO PROVIDER,MODEL",
    help="Set without asking; repeatable.",
)
@click.option("--unset", multiple=True, metavar="SCENARIO", help="Remove a route; repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Print the routes and the known models, for programs.")
def model(*, changes: tuple[tuple[str, str], ...], unset: tuple[str, ...], as_json: bool) -> None:
    """Show the routes and change them, by questions or with --set.

    The file keeps its comments, and a running gateway takes the change at once.
    """
    place = bootstrap.paths()
    settings = load_settings(place)
    edits = [*_sets(changes), *(Change(("Router", _scenario(name)), remove=True) for name in unset)]
    if not edits and not as_json:
        _show(settings)
        if not sys.stdin.isatty():
            return
        edits = _asked(settings)
    if edits:
        try:
            settings = bootstrap.edit_config(place, edits).settings
        except ConfigError as error:
            raise config_failed(error) from error
        if not as_json:
            _show(settings)
    if as_json:
        emit_json({"routes": dict(routes_of(settings)), "models": _models(settings)})


def _scenario(name: str) -> str:
    known = {scenario.lower(): scenario for scenario in _SCENARIOS}
    found = known.get(name.lower())
    if found is None:
        raise CommandError(
            f"there is no scenario {name!r}", f"one of {', '.join(_SCENARIOS)}", code=EXIT_USAGE
        )
    return found


def _sets(changes: tuple[tuple[str, str], ...]) -> list[Change]:
    return [Change(("Router", _scenario(name)), target) for name, target in changes]


def _models(settings: Settings) -> list[str]:
    return [f"{provider.name},{name}" for provider in settings.providers for name in provider.models]


def _show(settings: Settings) -> None:
    routes = routes_of(settings)
    for scenario in _SCENARIOS:
        emit(f"  {scenario:<12} {routes.get(scenario, '-')}")


def _asked(settings: Settings) -> list[Change]:
    """Ask for a scenario and a model; an empty answer ends."""
    choices = click.Choice(_SCENARIOS, case_sensitive=False)
    scenario = click.prompt("Which route", type=choices, default="default")
    models = [*_models(settings), "demo,demo"]
    for number, name in enumerate(models, 1):
        emit(f"  {number:>3}  {name}")
    answer = str(
        click.prompt(
            "Which model (number, or provider,model; empty = leave it)", default="", show_default=False
        )
    )
    if not answer.strip():
        return []
    if answer.strip().isdigit():
        number = int(answer)
        if not 1 <= number <= len(models):
            raise CommandError(f"there is no number {number}", code=EXIT_USAGE)
        answer = models[number - 1]
    return [Change(("Router", _scenario(str(scenario))), answer.strip())]
