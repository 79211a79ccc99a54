"""``ccr route explain``: why a request goes, or went, where it does."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import rich_click as click

from ccr.entrypoints.cli.output import CommandError, emit, emit_json
from ccr.entrypoints.cli.running import find, need_running
from ccr.entrypoints.service import EXIT_USAGE

__all__ = ["route"]


@click.group()
def route() -> None:
    """Where requests go."""


@route.command()
@click.argument("what", metavar="FILE|-|ID", required=False)
@click.option("--last", is_flag=True, help="The newest request that the running gateway has seen.")
@click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="A header of the request; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def explain(*, what: str | None, last: bool, headers: tuple[str, ...], as_json: bool) -> None:
    """Print the verdict of every rule.

    FILE (or - for standard input) is the JSON body of a /v1/messages request, which is not sent anywhere; ID is the
    request-id of a reply. With a file this works without a running gateway, too.
    """
    if last == (what is not None):
        raise CommandError("say a FILE, an ID or --last", "`ccr route explain request.json`", code=EXIT_USAGE)
    if last:
        found = need_running().client.get("/api/route/decisions?last=1")["decisions"]
        if not found:
            raise CommandError("the running gateway has decided nothing yet", "send it a request")
        decision = found[0]
    elif what == "-" or Path(str(what)).exists():
        decision = _explained(_body(str(what)), _headers(headers))
    else:
        decision = need_running().client.get(f"/api/route/decisions/{quote(str(what), safe='')}")
    if as_json:
        emit_json(decision)
    else:
        emit("\n".join(_lines(decision)))


def _body(what: str) -> bytes:
    """The request; a recorded one with a ``body`` beside ``headers`` counts by its body."""
    data = sys.stdin.buffer.read() if what == "-" else Path(what).read_bytes()
    try:
        content = json.loads(data)
    except ValueError as error:
        raise CommandError(f"{what} is not JSON: {error}") from error
    if isinstance(content, dict) and "messages" not in content and isinstance(content.get("body"), dict):
        return json.dumps(content["body"]).encode()
    return data


def _headers(given: tuple[str, ...]) -> dict[str, str]:
    headers = {}
    for line in given:
        name, colon, value = line.partition(":")
        if not colon:
            raise CommandError(f"{line!r} is no header", "write it as name:value", code=EXIT_USAGE)
        headers[name.strip().lower()] = value.strip()
    return headers


def _explained(body: bytes, headers: Mapping[str, str]) -> Any:
    found = find()
    if found.client.health() is not None:
        return found.client.post("/api/route/explain", body, headers)
    from ccr.entrypoints.cli.offline import explain_request

    return explain_request(found.place, body, headers)


def _lines(decision: Mapping[str, Any]) -> list[str]:
    from ccr.application.operations.explain_route import to_lines

    request = decision.get("request_id")
    return [*([f"request {request}"] if request else []), *to_lines(decision)]
