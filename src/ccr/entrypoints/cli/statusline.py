"""``ccr statusline``: one line for Claude Code's status line hook, from the JSON that it gives on standard input."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import rich_click as click

from ccr.entrypoints import bootstrap
from ccr.entrypoints.cli.output import emit, warn
from ccr.entrypoints.cli.statusline_style import render
from ccr.entrypoints.service import EXIT_FAILED

__all__ = ["run", "statusline", "variables_of"]

_GIT_SECONDS = 1.0
_TAIL_BYTES = 256 * 1024
"""The last answer of a transcript is near its end."""


@click.command()
def statusline() -> int:
    """Print a status line for Claude Code (its statusLine hook gives JSON on standard input)."""
    return run([])


def run(arguments: Sequence[str]) -> int:
    """Print one line, an empty one when something is missing; only junk on standard input is an error."""
    if arguments and arguments[0] in {"-h", "--help"}:
        emit(
            "Usage: ccr statusline < hook.json\n\nSet it as the statusLine command in Claude Code's settings."
        )
        return 0
    try:
        hook = json.loads(sys.stdin.buffer.read())
    except ValueError as error:
        warn(f"ccr: the status line's input is not JSON: {error}")
        return EXIT_FAILED
    if not isinstance(hook, dict):
        warn("ccr: the status line's input is not a JSON object")
        return EXIT_FAILED
    place = bootstrap.paths()
    config = bootstrap.plain_config(place.config)
    variables = variables_of(hook, config)
    block = config.get("StatusLine")
    emit(render(block if isinstance(block, dict) else {}, variables, warn))
    return 0


def variables_of(hook: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, str]:
    """Return what a module's text may name; an unknown value is an empty text."""
    folder = str(_at(hook, "workspace", "current_dir") or hook.get("cwd") or "")
    model, given, taken = _last_answer(Path(str(hook.get("transcript_path") or "")))
    return {
        "workDirName": Path(folder).name,
        "gitBranch": _branch(folder),
        "model": model or _default_model(folder, config) or str(_at(hook, "model", "display_name") or ""),
        "inputTokens": _tokens(given),
        "outputTokens": _tokens(taken),
        "cost": _money(_at(hook, "cost", "total_cost_usd")),
        "duration": _seconds(_at(hook, "cost", "total_duration_ms")),
        "linesAdded": str(_at(hook, "cost", "total_lines_added") or 0),
        "linesRemoved": str(_at(hook, "cost", "total_lines_removed") or 0),
        "contextWindowSize": _tokens(_at(hook, "context_window", "context_window_size")),
        "contextPercent": str(round(_number(_at(hook, "context_window", "used_percentage")))),
        "sessionId": str(hook.get("session_id") or ""),
        # Measured by a plug-in of the ancestor's version 2 that we do not have.
        "tokenSpeed": "",
        "isStreaming": "",
    }


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _tokens(value: object) -> str:
    count = _number(value)
    return f"{count / 1000:.1f}k" if count > 1000 else f"{count:.0f}"


def _money(value: object) -> str:
    return f"${_number(value):.2f}"


def _seconds(milliseconds: object) -> str:
    seconds = int(_number(milliseconds) / 1000)
    return f"{seconds // 60}m{seconds % 60:02d}s" if seconds >= 60 else f"{seconds}s"


def _branch(folder: str) -> str:
    try:
        done = subprocess.run(
            ["git", "branch", "--show-current"],  # noqa: S607 - the person's own git
            cwd=folder or None,
            capture_output=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def _last_answer(transcript: Path) -> tuple[str, object, object]:
    """Return model, input and output tokens of the last answer in a transcript (one JSON value a line)."""
    try:
        with transcript.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL_BYTES))
            lines = file.read().splitlines()
    except OSError:
        return ("", None, None)
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        message = (
            entry.get("message") if isinstance(entry, dict) and entry.get("type") == "assistant" else None
        )
        if isinstance(message, dict) and message.get("model") and isinstance(message.get("usage"), dict):
            usage = message["usage"]
            return (str(message["model"]), usage.get("input_tokens"), usage.get("output_tokens"))
    return ("", None, None)


def _default_model(folder: str, config: Mapping[str, Any]) -> str:
    """The model of the default route: the project's own router first."""
    project = bootstrap.plain_config(Path(folder) / ".claude-code-router" / "config.json") if folder else {}
    target = _at(project, "Router", "default") or _at(config, "Router", "default") or ""
    return str(target).partition(",")[2].strip()
