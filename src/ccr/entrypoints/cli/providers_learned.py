"""``ccr providers learned``: what is amended because a provider complained."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

import rich_click as click

from ccr.domain.errors import ConfigError
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.service import EXIT_USAGE

__all__ = ["learned"]


@click.command()
@click.option("--endpoint", default="", metavar="URL", help="Only of endpoints whose address begins so.")
@click.option("--model", default="", help="Only of this model.")
@click.option("--name", default="", help="Only this field, keyword or beta.")
@click.option("--forget", is_flag=True, help="Forget what fits, or everything.")
@click.option("--toml", "as_toml", is_flag=True, help="As profiles of a provider file.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def learned(*, endpoint: str, model: str, name: str, forget: bool, as_toml: bool, as_json: bool) -> None:
    """Show which requests are amended because a provider refused something by its name.

    Each is tried unamended again after a week. Nothing is ever amended for Anthropic itself.
    """
    if sum((forget, as_toml, as_json)) > 1 and not (forget and as_json):
        raise CommandError("say one of --forget, --toml and --json", code=EXIT_USAGE)
    which = {"endpoint": endpoint, "model": model, "name": name}
    found = find()
    told = _running(found, which, forget=forget) if found.client.health() else _here(which, forget=forget)
    if as_json:
        emit_json(told if forget else told["learned"])
    elif forget:
        emit(f"{told['forgotten']} forgotten")
    elif as_toml:
        emit(told["toml"])
    else:
        emit("\n".join(_lines(told["learned"])) or "nothing has been learned")


def _running(found: Found, which: Mapping[str, str], *, forget: bool) -> Mapping[str, Any]:
    if forget:
        told = found.client.post("/api/learned/forget", json.dumps(which).encode())
    else:
        told = found.client.get(f"/api/learned?{urlencode(which)}")
    assert isinstance(told, dict)
    return told


def _here(which: Mapping[str, str], *, forget: bool) -> Mapping[str, Any]:
    try:
        return asyncio.run(_asked(which, forget=forget))
    except ConfigError as error:
        raise config_failed(error) from error


async def _asked(which: Mapping[str, str], *, forget: bool) -> Mapping[str, Any]:
    from ccr.entrypoints.lifecycle import opened, running

    made = running()
    async with opened(made, follow=False):
        console: Any = made.container.console()
        told: Mapping[str, Any] = (
            await console.manage_learned.forget(**which) if forget else console.manage_learned.list(**which)
        )
        return told


def _lines(found: Sequence[Mapping[str, Any]]) -> Sequence[str]:
    lines: list[str] = []
    place = None
    for one in found:
        if place != (one["endpoint"], one["model"]):
            place = (one["endpoint"], one["model"])
            lines.append(f"{one['model']}  {one['endpoint']}")
        until = "tried again now" if one["expired"] else f"until {one['expires'][:10]}"
        lines += [f"  {one['does']}  ({until})", f"    {one['evidence']}"]
    return lines
