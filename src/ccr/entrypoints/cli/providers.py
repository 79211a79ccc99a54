"""``ccr providers``: which are known, what is known of one, add one to the configuration."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import rich_click as click

from ccr.domain.errors import ConfigError, GatewayError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json, warn_problems
from ccr.entrypoints.cli.running import Found, find, load_settings
from ccr.entrypoints.service import EXIT_USAGE

if TYPE_CHECKING:
    from ccr.application.operations.providers import ManageProviders
    from ccr.application.settings import Settings

__all__ = ["providers", "settings_of"]

_ELSEWHERE = {
    "test": "ccr.entrypoints.cli.providers_test",
    "learned": "ccr.entrypoints.cli.providers_learned",
}
"""Subcommands with a module of their own, imported when they are used; each has a command of its own name."""


class _Group(click.RichGroup):
    """Knows subcommands that are elsewhere."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [
            *super().list_commands(ctx),
            *(name for name, where in _ELSEWHERE.items() if find_spec(where)),
        ]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = _ELSEWHERE.get(cmd_name)
        if where is None or not find_spec(where):
            return super().get_command(ctx, cmd_name)
        command = getattr(importlib.import_module(where), cmd_name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Group)
def providers() -> None:
    """Who answers: which providers are known, and adding one."""


@providers.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(*, as_json: bool) -> None:
    """Name every known provider, its key's variable and whether that is set, and what is configured."""
    found = find()
    reply = found.client.call("GET", "/api/providers") if found.service is not None else None
    known: Sequence[Mapping[str, Any]] = (
        reply.body["providers"] if reply is not None and reply.ok else _manage().list(settings_of(found))
    )
    if as_json:
        emit_json(known)
    else:
        emit("\n".join(_table([_row(one) for one in known])))


@providers.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(*, name: str, as_json: bool) -> None:
    """Tell endpoints and profiles of NAME, and where these facts come from."""
    found = find()
    reply = (
        found.client.call("GET", f"/api/providers/{quote(name, safe='')}")
        if found.service is not None
        else None
    )
    told: Mapping[str, Any] = (
        reply.body if reply is not None and reply.ok else _shown(name, settings_of(found))
    )
    if as_json:
        emit_json(told)
    else:
        emit("\n".join(_lines(told)))


@providers.command()
@click.argument("name")
@click.option(
    "--key-env", metavar="VAR", default="", help="Variable that holds the key; the usual one by default."
)
@click.option("--key", default="", help="The key itself, which then stands in the file.")
@click.option("--models", default="", metavar="A,B", help="Models to offer; none = any name is passed on.")
@click.option("--url", default="", help="The full endpoint, where it is not the usual one.")
@click.option("--dialect", default="", help="Which of its dialects, or that of an unknown provider.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def add(*, name: str, key_env: str, key: str, models: str, url: str, dialect: str, as_json: bool) -> None:
    """Add NAME to the configuration. Comments survive, and a running gateway takes the change at once."""
    from ccr.application.operations.providers import NewProvider

    if key and key_env:
        raise CommandError("say --key or --key-env, not both", code=EXIT_USAGE)
    place = bootstrap.paths()
    bootstrap.write_first(place)
    listed = tuple(model.strip() for model in models.split(",") if model.strip())
    wish = NewProvider(name, url, dialect, key_env, key, listed)
    manage = _manage()
    try:
        changes = manage.changes(wish, load_settings(place))
        loaded = bootstrap.edit_config(place, changes)
    except ConfigError as error:
        raise config_failed(error) from error
    except GatewayError as error:
        raise CommandError(error.message, f"`ccr providers show {name}`") from error
    entry = changes[0].value
    assert isinstance(entry, dict)
    if as_json:
        emit_json(
            {"name": name, "url": entry["api_base_url"], "models": list(listed), "revision": loaded.revision}
        )
        return
    warn_problems(warning for warning in loaded.warnings if wish.name in warning.message)
    emit(f"Added {name}: {entry['api_base_url']}")
    emit(_next_step(wish.key, str(entry.get("api_key", "")), name, listed))


def _next_step(key: str, written: str, name: str, models: Sequence[str]) -> str:
    variable = "" if key else written.removeprefix("$")
    if variable and not _manage().is_set(variable):
        return f"Next step: set {variable} where the gateway runs, then `ccr restart`"
    return f"Next step: `ccr model --set default {name},{models[0] if models else 'MODEL'}`"


def _manage() -> ManageProviders:
    try:
        return bootstrap.known_providers()
    except ConfigError as error:
        raise config_failed(error) from error


def settings_of(found: Found) -> Settings:
    """Return the configuration, or what the first one will say. Raises CommandError."""
    if found.settings is None:
        raise config_failed(found.problem or ConfigError(()))
    return found.settings


def _shown(name: str, settings: Settings) -> Mapping[str, Any]:
    from difflib import get_close_matches

    manage = _manage()
    try:
        return manage.show(name, settings)
    except GatewayError as error:
        near = get_close_matches(name.lower(), manage.book.names(), n=1)
        raise CommandError(
            error.message, f"did you mean {near[0]}?" if near else "`ccr providers list`"
        ) from error


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    names = [mine["name"] for mine in one["configured"]]
    return (
        one["name"],
        one["label"] or "-",
        ", ".join(one["dialects"]) or "-",
        _key(one),
        _configured(one, names),
    )


def _key(one: Mapping[str, Any]) -> str:
    if not one["key_env"]:
        return "-"
    return f"${one['key_env']} {'set' if one['key_set'] else 'not set'}"


def _configured(one: Mapping[str, Any], names: Sequence[str]) -> str:
    if not names:
        return ""
    return "configured" if names == [one["name"]] else f"configured as {', '.join(names)}"


def _table(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(rows[0]))]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = [f"{told['name']}: {told['label'] or 'nothing is known of it but what the configuration says'}"]
    for word, value in (
        ("documentation", told.get("docs")),
        ("facts from", told.get("source")),
        ("shipped by", told["origin"]),
        ("hosts", ", ".join(told["hosts"])),
        ("login", f"{told['credential']}, {_key(told)}" if told["key_env"] else told["credential"]),
    ):
        lines += [f"  {word:<14} {value}"] if value else []
    for mine in told["configured"]:
        models = ", ".join(mine["models"]) or "any model"
        lines.append(
            f"  {'configured':<14} as {mine['name']}: {models}{'' if mine['has_key'] else ' (no key)'}"
        )
    if told["endpoints"]:
        lines += ["", "Endpoints:"]
        lines += [f"  {end['dialect']:<17} {end['url']}{_notes(end)}" for end in told["endpoints"]]
    if told["profiles"]:
        lines += ["", "Profiles (what * says holds for the others too):"]
        lines += [f"  {glob}: {_fields(fields)}" for glob, fields in told["profiles"].items()]
    return lines


def _notes(end: Mapping[str, Any]) -> str:
    hosting = "" if end["hosting"] == "direct" else f"through {end['hosting']}"
    notes = [note for note in (end["label"], hosting, f"login {end['credential']}") if note]
    return f" ({'; '.join(notes)})"


def _fields(fields: Mapping[str, Any]) -> str:
    import json

    return ", ".join(f"{name} {json.dumps(value)}" for name, value in fields.items()) or "nothing more"
