"""``ccr code``: Claude Code through the gateway, its arguments and its exit code untouched."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, NoReturn

import rich_click as click

from ccr.entrypoints.cli.client_env import warn_overridden
from ccr.entrypoints.cli.env import variables_for
from ccr.entrypoints.cli.output import CommandError
from ccr.entrypoints.cli.service import ensure_running

if TYPE_CHECKING:
    from ccr.application.settings import Settings

__all__ = ["code", "run"]

_NOT_FOUND = 127
"""What a shell says for a command that is not there."""
_NOT_EXECUTABLE = 126


@click.command(
    add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def code(arguments: tuple[str, ...]) -> None:
    """Run Claude Code through the gateway, which is started if need be. All ARGUMENTS go to claude as they are."""
    run(arguments)


def run(arguments: Sequence[str]) -> NoReturn:
    """Become ``claude``: it has our process, terminal and exit code. Raises CommandError."""
    found = ensure_running()
    variables = variables_for(found)
    assert found.settings is not None  # variables_for has refused a broken configuration
    command = _claude(found.settings)
    warn_overridden(variables)
    environment = {**os.environ, **{name: value for name, value in variables.items() if value is not None}}
    for name, value in variables.items():
        if value is None:
            environment.pop(name, None)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execve(command, [command, *arguments], environment)  # noqa: S606 - no shell, on purpose
    except OSError as error:
        raise CommandError(
            f"cannot run {command}: {error.strerror}", "set CLAUDE_PATH", code=_NOT_EXECUTABLE
        ) from error


def _claude(settings: Settings) -> str:
    """Return the path of the program: CLAUDE_PATH of the configuration, then of the environment, then ``claude``."""
    name = settings.client.claude_path or os.environ.get("CLAUDE_PATH") or "claude"
    path = shutil.which(os.path.expanduser(name))  # noqa: PTH111 - a name without a slash is no path
    if path is None:
        raise CommandError(
            f"{name} was not found",
            "install Claude Code (npm install -g @anthropic-ai/claude-code), or set CLAUDE_PATH",
            code=_NOT_FOUND,
        )
    return path
