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
    "start": ("service:start", "Start the gateway, in the background unless told otherwise."),
    "stop": ("service:stop", "Stop the gateway: fail readiness, let open streams end, then leave."),
    "drain": ("service:drain", "Take no new requests; open ones go on. `ccr stop` ends what is drained."),
    "restart": (
        "restart:restart",
        "Start anew without losing a request: version, environment, configuration.",
    ),
    "status": ("status:status", "Whether the gateway runs, where, and what it routes where."),
    "code": ("code:code", "Run Claude Code through the gateway, which is started if need be."),
    "env": ("env:env", 'Print what a shell needs: `eval "$(ccr env)"`. Starts nothing.'),
    "activate": ("env:env", ""),
    "model": ("model:model", "Show the routes and change them, by questions or with --set."),
    "init": ("init:init", "Write a commented first configuration; one that is there stays untouched."),
    "config": ("config:config", "The configuration: check it, show it, edit it."),
    "route": ("route:route", "Where requests go."),
    "providers": ("providers:providers", "Who answers: which providers are known, and adding one."),
    "models": ("models:models", "What is known of models: limits, abilities, prices."),
    "transformers": ("transformers:transformers", "What changes requests and replies on their way."),
    "plugins": ("plugins:plugins", "List transformers and providers with their origin, state and failures."),
    "statusline": (
        "statusline:statusline",
        "Print a status line for Claude Code (its hook gives JSON on stdin).",
    ),
    "preset": ("presets:preset", ""),
    "version": ("version:version", "Which version this is."),
}
"""Name -> where the command is, and its line in the list: ``ccr --help`` imports no command to list it."""
_HIDDEN = frozenset({"activate", "preset"})
_RAW: dict[str, str] = {
    "code": "code:run",
    "statusline": "statusline:run",
}
"""Commands that get their words as they are: no parser may eat a ``--``, and a status line has no time for one."""
_INTERRUPTED = 130


def _load(where: str) -> object:
    module, name = where.split(":")
    return getattr(importlib.import_module(f"{_CLI}.{module}"), name)


def group() -> click.Group:
    """Build the command group; rich_click is imported here and not before."""
    import rich_click as click

    class LazyGroup(click.RichGroup):
        """Imports a command when it is asked for, and none to list them."""

        listing = False

        # RichGroup narrows both arguments of click's method, and so must who calls it.
        def format_help(  # type: ignore[override]
            self, ctx: click.RichContext, formatter: click.RichHelpFormatter
        ) -> None:
            self.listing = True
            try:
                super().format_help(ctx, formatter)
            finally:
                self.listing = False

        def list_commands(self, ctx: click.Context) -> list[str]:
            del ctx
            return [name for name in COMMANDS if name not in _HIDDEN]

        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            del ctx
            if cmd_name not in COMMANDS:
                return None
            where, line = COMMANDS[cmd_name]
            if self.listing:
                return click.Command(cmd_name, short_help=line)
            command = _load(where)
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
