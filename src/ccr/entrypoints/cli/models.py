"""``ccr models``: limits, abilities and prices of models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import quote

import rich_click as click

from ccr.domain.errors import ConfigError, GatewayError
from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json
from ccr.entrypoints.cli.providers import settings_of
from ccr.entrypoints.cli.running import find

if TYPE_CHECKING:
    from ccr.application.operations.models import ListKnownModels

__all__ = ["models"]

T = TypeVar("T")

_KINDS = {
    "input": "input",
    "cache_read": "cache read",
    "cache_write_5m": "cache write, 5 min",
    "cache_write_1h": "cache write, 1 h",
    "output": "output",
    "reasoning": "reasoning",
}


@click.group()
def models() -> None:
    """What is known of models: limits, abilities, prices."""


@models.command("list")
@click.option(
    "--provider", default="", help="All known models of a provider; else those of the configuration."
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def list_(*, provider: str, as_json: bool) -> None:
    """List models with limits in tokens, and prices in US dollars for a million tokens of input and output."""
    found = find()
    reply = (
        found.client.call("GET", f"/api/models?provider={quote(provider)}")
        if found.service is not None
        else None
    )
    told: Sequence[Mapping[str, Any]] = (
        reply.body["models"]
        if reply is not None and reply.ok
        else _asked(lambda known: known.list(settings_of(found), provider), "`ccr providers list`")
    )
    if as_json:
        emit_json(told)
    elif told:
        emit("\n".join(_table(told)))
    else:
        emit(
            "The configuration names no models; `ccr models list --provider NAME` lists all known ones of a provider."
        )


@models.command()
@click.argument("model")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def show(*, model: str, as_json: bool) -> None:
    """Tell limits, abilities and prices of MODEL (or PROVIDER,MODEL), and who says so."""
    found = find()
    reply = (
        found.client.call("GET", f"/api/models/{quote(model, safe=',')}")
        if found.service is not None
        else None
    )
    told: Mapping[str, Any] = (
        reply.body
        if reply is not None and reply.ok
        else _asked(lambda known: known.show(model, settings_of(found)), "`ccr models list --provider NAME`")
    )
    if as_json:
        emit_json(told)
    else:
        emit("\n".join(_lines(told)))


def _asked(ask: Callable[[ListKnownModels], T], hint: str) -> T:
    try:
        return ask(bootstrap.known_models())
    except ConfigError as error:
        raise config_failed(error) from error
    except GatewayError as error:
        raise CommandError(error.message, hint) from error


def _table(told: Sequence[Mapping[str, Any]]) -> list[str]:
    head = ("MODEL", "WINDOW", "OUTPUT", "IN $/M", "OUT $/M", "ABILITIES")
    rows = [
        (
            f"{one['provider']},{one['model']}" if one["provider"] else str(one["model"]),
            _number(one["context_window"]),
            _number(one["max_output"]),
            _number((one["price"] or {}).get("input")),
            _number((one["price"] or {}).get("output")),
            ", ".join(name for name, has in one["abilities"].items() if has),
        )
        for one in told
    ]
    widths = [max(len(row[at]) for row in (head, *rows)) for at in range(len(head))]
    lines = []
    for row in (head, *rows):
        numbers = "  ".join(f"{cell:>{width}}" for cell, width in zip(row[1:5], widths[1:5], strict=True))
        lines.append(f"{row[0]:<{widths[0]}}  {numbers}  {row[5]}".rstrip())
    return lines


def _number(value: object) -> str:
    return "?" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _lines(told: Mapping[str, Any]) -> list[str]:
    lines = [str(told["model"])]
    for one in told["configured"]:
        limits = f"window {_number(one['context_window'])}, output {_number(one['max_output'])}"
        lines.append(f"  configured as {one['provider']},{one['model']}: {limits}")
    for one in told["known"]:
        sources = one["sources"]
        lines += ["", f"{one['provider']},{one['listed_as']}"]
        for key, word in (("context_window", "window"), ("max_output", "output")):
            lines.append(f"  {word:<14} {_number(one[key])} tokens{_from(sources.get(key))}")
        for word, wanted in (("can", True), ("cannot", False)):
            names = ", ".join(name for name, has in one["abilities"].items() if has is wanted)
            lines += [f"  {word:<14} {names}{_from(sources.get('abilities'))}"] if names else []
        if one["deprecated"]:
            lines.append(f"  {'goes':<14} {one['deprecated']}{_from(sources.get('deprecated'))}")
        prices = sources["prices"] or ["unknown"]
        lines += [f"  {'price':<14} {price if isinstance(price, str) else _price(price)}" for price in prices]
    return lines


def _from(source: object) -> str:
    return f"  ({source})" if source else ""


def _price(price: Mapping[str, Any]) -> str:
    longer = [f"above {tier['above']} tokens: {_rates(tier)}" for tier in price["tiers"]]
    return f"since {price['since']}: {'; '.join([_rates(price), *longer])}{_from(price['source'])}"


def _rates(price: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{word} {_number(price[key])}" for key, word in _KINDS.items() if price[key] is not None
    )
