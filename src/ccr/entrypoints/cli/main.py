"""``ccr``: the tree of commands, each module imported when its command is used."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ccr import __version__
from ccr.entrypoints.cli.output import CommandError, complain, emit
from ccr.entrypoints.service import EXIT_FAILED

if TYPE_CHECKING:
    import rich_click as click

__all__ = ["COMMANDS", "group", "main"]

_CLI = "ccr.entrypoints.cli"
COMMANDS = {
    "start": f"{_CLI}.service:start",
    "stop": f"{_CLI}.service:stop",
    "drain": f"{_CLI}.service:drain",
    "restart": f"{_CLI}.service:restart",
    "status": f"{_CLI}.status:status",
    "code": f"{_CLI}.code:code",
    "env": f"{_CLI}.env:env",
    "activate": f"{_CLI}.env:env",
    "model": f"{_CLI}.model:model",
    "init": f"{_CLI}.init:init",
    "config": f"{_CLI}.config:config",
    "route": f"{_CLI}.route:route",
    "statusline": f"{_CLI}.statusline:statusline",
    "preset": f"{_CLI}.presets:preset",
    "version": f"{_CLI}.version:version",
}
"""Name -> where the command is."""
_HIDDEN = frozenset({"activate", "preset"})
_RAW: dict[str, str] = {
    "code": f"{_CLI}.code:run",
    "statusline": f"{_CLI}.statusline:run",
}
"""Commands that get their words as they are: no parser may eat a ``--``, and a status line has no time for one."""
_INTERRUPTED = 130


def _load(where: str) -> object:
    module, name = where.split(":")
    return getattr(importlib.import_module(module), name)


def group() -> click.Group:
    """Build the command group; rich_click is imported here and not before."""
    import rich_click as click

    class LazyGroup(click.RichGroup):
        """Imports a command when it is asked for."""

        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return [name for name in COMMANDS if name not in _HIDDEN]

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx
            where = COMMANDS.get(cmd_name)
            command = _load(where) if where else None
            return command if isinstance(command, click.Command) else None

    def ccr() -> None:
        """Claude Code Router: send Claude Code to any model.

        Begin with `ccr start`, then `ccr code`.
        """

    settings = {"help_option_names": ["-h", "--help"]}
    made = LazyGroup(
        name="ccr", callback=ccr, help=ccr.__doc__, context_settings=settings, no_args_is_help=True
    )
    version = click.version_option(__version__, "-v", "--version", message="ccr %(version)s")
    return version(made)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit code and never raises: this is the outermost edge."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(words)
    except CommandError as error:
        complain(error)
        return error.code
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # Whoever read us has gone, as `head` does; say nothing at exit either.
        sys.stdout = None
        return EXIT_FAILED
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        complain(
            CommandError(named, "check the permissions, or set CCR_HOME to a directory that you may write")
        )
        return EXIT_FAILED


def _run(words: list[str]) -> int:
    if words in (["-v"], ["--version"]):
        emit(f"ccr {__version__}")
        return 0
    raw = _RAW.get(words[0]) if words else None
    if raw is not None:
        run = _load(raw)
        assert callable(run)
        return int(run(words[1:]))
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    return _click(group, words)


def _click(build: Callable[[], click.Group], words: list[str]) -> int:
    import rich_click as click

    command = build()
    try:
        result = command.main(words, prog_name="ccr", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return result if isinstance(result, int) else 0


if __name__ == "__main__":
    sys.exit(main())
