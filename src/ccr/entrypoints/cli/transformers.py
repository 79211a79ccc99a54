"""``ccr transformers``: what each does and which options it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import rich_click as click

from ccr.entrypoints.cli.output import CommandError, emit, emit_json, warn
from ccr.entrypoints.cli.running import find

__all__ = ["transformers"]

_WIDTH = 100


@click.group()
def transformers() -> None:
    """What changes requests and replies on their way."""


@transformers.command("list")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(*, as_json: bool) -> None:
    """Name every transformer that a provider's `use` may name."""
    known = _known()
    if as_json:
        emit_json(known)
        return
    width = max(len(one["name"]) for one in known)
    emit("\n".join(f"{one['name']:<{width}}  {_brief(one)}" for one in known))


@transformers.command()
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(*, name: str, as_json: bool) -> None:
    """Say what NAME does, its options, and whether there is anything left for it to do."""
    known = {one["name"].lower(): one for one in _known()}
    found = known.get(name.lower())
    if found is None:
        near = get_close_matches(name.lower(), list(known), n=1)
        hint = f"did you mean {known[near[0]]['name']}?" if near else "`ccr transformers list`"
        raise CommandError(f"no transformer is called {name!r}", hint)
    if as_json:
        emit_json(found)
    else:
        emit("\n".join(_lines(found)))


def _known() -> Sequence[Mapping[str, Any]]:
    from ccr.entrypoints.cli.offline import installed

    found = find()
    told, problems = installed(found.place, found.settings)
    for problem in problems:
        warn(f"warning: {problem}")
    known: Sequence[Mapping[str, Any]] = told["transformers"]
    return known


def _brief(one: Mapping[str, Any]) -> str:
    text = f"needless: {one['needless']}" if one["needless"] else str(one["summary"])
    origin = "" if one["origin"] == "ccr" else f" [{one['origin']}]"
    return (text if len(text) <= _WIDTH else f"{text[: _WIDTH - 3]}...") + origin


def _lines(one: Mapping[str, Any]) -> list[str]:
    lines = [f"{one['name']} ({one['origin']})", "", one["summary"] or "It says nothing about itself."]
    if one["needless"]:
        lines += ["", f"Needless: {one['needless']}."]
    if one["door"]:
        way = ", ".join(
            f"{what} {value}" for what, value in one["door"].items() if value and value is not True
        )
        lines += ["", f"It chooses the way to the provider: {way}."]
    if one["open_options"]:
        lines += ["", "Options: any; each is a field of the provider's request."]
    elif one["options"]:
        lines += ["", "Options:"]
        lines += [
            f"  {option['name']}: {option['kind']}, {_default(option['default'])}"
            + (f". {option['doc']}" if option["doc"] else "")
            for option in one["options"]
        ]
    else:
        lines += ["", "It takes no options."]
    return lines


def _default(default: str) -> str:
    return {"required": "required", "null": "optional"}.get(default, f"by default {default}")
