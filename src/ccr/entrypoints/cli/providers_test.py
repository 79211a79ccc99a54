"""``ccr providers test``: what a model really does, as a matrix."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import rich_click as click

from ccr.domain.errors import ConfigError, GatewayError
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.service import EXIT_FAILED

__all__ = ["test"]

_SECONDS = 3600.0
"""The running gateway answers when all is asked; thirty questions to a model that thinks take minutes."""

_COLOURS = {"pass": "green", "degraded": "yellow", "fail": "red", "skipped": "bright_black"}


@click.command()
@click.argument("name")
@click.option("--model", default="", help="A model of NAME; the first configured one by default.")
@click.option(
    "--budget",
    default="",
    metavar="TOKENS|USD",
    help="The most that it may cost: 50000, 50k or $0.50; 100000 tokens by default.",
)
@click.option("--only", default="", metavar="A,B", help="Names of probes; all by default.")
@click.option("--json", "as_json", is_flag=True, help="For programs: the report with its date.")
def test(*, name: str, model: str, budget: str, only: str, as_json: bool) -> None:
    """Ask a model of the configured provider NAME some thirty small questions, and show how it does.

    The questions are sent as any request is, and cost what they cost. A running gateway asks them; without one they are
    asked from here. Exit code 1: something failed.
    """
    chosen = [probe.strip() for probe in only.split(",") if probe.strip()]
    wish = {"provider": name, "model": model, "budget": budget, "only": chosen}
    found = find()
    report = _running(found, wish) if found.client.health() is not None else _here(wish)
    if as_json:
        emit_json(report)
    else:
        emit("\n".join(_lines(report, colour=sys.stdout.isatty())))
    failures = report["counts"]["fail"]
    if failures:
        raise CommandError(f"{failures} of {len(report['results'])} probes failed", code=EXIT_FAILED)


def _running(found: Found, wish: Mapping[str, Any]) -> Mapping[str, Any]:
    reply = found.client.call("POST", "/api/probes", body=json.dumps(wish).encode(), seconds=_SECONDS)
    if not reply.ok or not isinstance(reply.body, dict):
        raise CommandError(
            f"the gateway at {found.address} refused: {reply.error()}", "`ccr providers test --help`"
        )
    return reply.body


def _here(wish: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        return asyncio.run(_asked(wish))
    except ConfigError as error:
        raise config_failed(error) from error
    except GatewayError as error:
        raise CommandError(error.message, "`ccr providers test --help`") from error


async def _asked(wish: Mapping[str, Any]) -> Mapping[str, Any]:
    from ccr.entrypoints.lifecycle import opened, running

    made = running()
    async with opened(made, follow=False):
        console: Any = made.container.console()
        report: Mapping[str, Any] = await console.run_probes(
            wish["provider"], wish["model"], budget=wish["budget"], only=wish["only"]
        )
        return report


def _lines(report: Mapping[str, Any], *, colour: bool) -> Sequence[str]:
    results: Sequence[Mapping[str, Any]] = report["results"]
    width = max((len(one["name"]) for one in results), default=0)
    lines = [f"{report['provider']},{report['model']}  {report['dialect']}  {report['endpoint']}", ""]
    for one in results:
        verdict = f"{one['verdict']:<8}"
        if colour:
            verdict = click.style(verdict, fg=_COLOURS[one["verdict"]])
        lines.append(f"{one['name']:<{width}}  {verdict}  {one['tokens']:>6}  {one['evidence']}")
    counts = ", ".join(f"{number} {word}" for word, number in report["counts"].items() if number)
    spent = report["spent"]
    dollars = f", ${spent['usd']:.4f}" if spent["usd"] else ""
    stopped = f"; stopped: {report['stopped']}" if report["stopped"] else ""
    return [*lines, "", f"{counts}; {spent['tokens']} tokens{dollars}{stopped}; {report['at']}"]
