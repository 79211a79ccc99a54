"""What a person sees: the only module of the command line that prints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable

from ccr.domain.errors import ConfigError, Problem
from ccr.entrypoints.service import EXIT_CONFIG, EXIT_FAILED

__all__ = ["CommandError", "complain", "config_failed", "emit", "emit_json", "warn", "warn_problems"]


class CommandError(Exception):
    """A command cannot go on: one sentence, the next step, and the exit code."""

    def __init__(self, message: str, hint: str = "", *, code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code


def emit(text: str) -> None:
    """Write to standard output."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def emit_json(value: object) -> None:
    """Write a value for programs to standard output."""
    emit(json.dumps(value, indent=2, default=str, ensure_ascii=False))


def warn(text: str) -> None:
    """Write to standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def complain(error: CommandError) -> None:
    """Say what went wrong and what to do."""
    if error.message:
        warn(error.message if error.code == EXIT_CONFIG else f"ccr: {error.message}")
    if error.hint:
        warn(f"Next step: {error.hint}")


def warn_problems(problems: Iterable[Problem]) -> None:
    """Show warnings of the configuration."""
    for problem in problems:
        warn(f"warning: {problem}")


def config_failed(error: ConfigError) -> CommandError:
    """Every problem on a line of its own, ``file:line:column`` first, as an error that ends the command."""
    lines = [f"{'warning: ' if p.severity == 'warning' else ''}{p}" for p in error.problems]
    return CommandError(
        "\n".join(lines), "correct the configuration, then `ccr config check`", code=EXIT_CONFIG
    )
