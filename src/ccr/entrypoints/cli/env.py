"""``ccr env`` (alias ``activate``): the variables of ``ccr code`` for a shell, a workflow or a program."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

import rich_click as click

from ccr.entrypoints.cli.client_env import client_environment, warn_overridden
from ccr.entrypoints.cli.output import CommandError, config_failed, emit, emit_json, warn
from ccr.entrypoints.cli.running import Found, find
from ccr.entrypoints.service import EXIT_USAGE

__all__ = ["env", "variables_for"]


@click.command()
@click.option("--github", is_flag=True, help="Append to the file that $GITHUB_ENV names, for a workflow.")
@click.option("--json", "as_json", is_flag=True, help="For programs; null = to be unset.")
def env(*, github: bool, as_json: bool) -> None:
    """Print what a shell needs: `eval "$(ccr env)"`. Starts nothing."""
    found = find()
    variables = variables_for(found)
    if found.client.health() is None:
        warn(f"ccr does not run yet at {found.address}; start it with `ccr start`")
    warn_overridden(variables)
    if github:
        _to_github(variables)
    elif as_json:
        emit_json(variables)
    else:
        emit("\n".join(_shell_line(name, value) for name, value in variables.items()))


def variables_for(found: Found) -> dict[str, str | None]:
    """Return the variables for the gateway that was found. Raises CommandError on a broken configuration."""
    if found.settings is None:
        assert found.problem is not None
        raise config_failed(found.problem)
    reply = found.client.call("GET", "/api/status", seconds=2.0)
    status = reply.body if reply.ok and isinstance(reply.body, dict) else {}
    return client_environment(found.settings, found.address, status, os.environ)


def _shell_line(name: str, value: str | None) -> str:
    return f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}"


def _github_line(name: str, value: str) -> str:
    if "\n" not in value:
        return f"{name}={value}\n"
    end = f"end-{os.urandom(8).hex()}"
    return f"{name}<<{end}\n{value}\n{end}\n"


def _to_github(variables: Mapping[str, str | None]) -> None:
    """A workflow cannot unset a variable for later steps; empty is what the client takes for absent."""
    name = os.environ.get("GITHUB_ENV", "")
    if not name:
        raise CommandError(
            "GITHUB_ENV is not set", "use --github in a step of a GitHub workflow", code=EXIT_USAGE
        )
    lines = "".join(_github_line(name, value or "") for name, value in variables.items())
    with Path(name).open("a", encoding="utf-8") as file:
        file.write(lines)
    token = variables.get("ANTHROPIC_AUTH_TOKEN")
    if token:
        emit(f"::add-mask::{token}")
