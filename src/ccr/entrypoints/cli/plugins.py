"""``ccr plugins``: everything that can be named in a configuration, with who ships it and how it does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import rich_click as click

from ccr.entrypoints.cli.output import CommandError, emit, emit_json, warn
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.service import EXIT_CONFIG

__all__ = ["plugins"]

_BUILT_IN = "ccr"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def plugins(*, as_json: bool) -> None:
    """List transformers and providers with their origin, state and failures.

    A running gateway is asked how its plugins do; without one they are loaded here. Exit code 78: one does not load.
    """
    found = find()
    told = _running(found) or _here(found)
    if as_json:
        emit_json(told)
    else:
        emit("\n".join(_lines(told)))
    if told.get("problems"):
        raise CommandError(
            "\n".join(told["problems"]), "correct or remove them, then `ccr plugins`", code=EXIT_CONFIG
        )


def _running(found: Found) -> Mapping[str, Any] | None:
    if found.client.health() is None:
        return None
    reply = found.client.call("GET", "/api/plugins")
    if not reply.ok or not isinstance(reply.body, dict):
        warn(f"warning: the running gateway does not say how its plugins do: {reply.error()}")
        return None
    return {**reply.body, "running": True, "problems": []}


def _here(found: Found) -> Mapping[str, Any]:
    from ccr.entrypoints.cli.offline import installed

    told, problems = installed(found.place, found.settings)
    return {**told, "running": False, "problems": problems}


def _lines(told: Mapping[str, Any]) -> Sequence[str]:
    transformers: Sequence[Mapping[str, Any]] = told["transformers"]
    width = max(len(one["name"]) for one in [*transformers, *told["providers"]])
    lines = ["transformers"]
    lines += [f"  {one['name']:<{width}}  {one['origin']}{_state(one)}" for one in transformers]
    lines.append("providers")
    lines += [f"  {one['name']:<{width}}  {one['origin']}" for one in told["providers"]]
    return [*lines, *(f"warning: {warning}" for warning in told["warnings"])]


def _state(one: Mapping[str, Any]) -> str:
    """Only of plugins there is something to say."""
    if one["origin"] == _BUILT_IN:
        return ""
    parts = [one["state"]]
    parts += ["in place of the built-in one"] * bool(one["replaces"])
    parts += [f"{one[what]} {what}" for what in ("failures", "overruns") if one[what]]
    parts += [one["last"]] * bool(one["last"])
    return f"  ({'; '.join(parts)})"
