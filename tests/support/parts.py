"""Parts of the machine that a test needs and may not find: a skip with a reason, and a failure in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

CLIENT_DIRECTORY = Path(__file__).resolve().parents[1] / "integration" / "claude_code"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(part: str, reason: str) -> None:
    """End the test because `part` is not there: skipped on a person's machine, failed with CI=true."""
    message = f"missing part: {part}: {reason}"
    if in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require(part: str, reason: str, *, present: bool | None = None) -> str:
    """Go on only if `part` is there; by default `part` is a program on PATH, whose path is returned.

    `reason` says what to do about it, as "Debian: apt-get install gcc".
    """
    found = shutil.which(part)
    if not (found if present is None else present):
        missing(part, reason)
    return found or ""


def require_client() -> Path:
    """Path of the pinned Claude Code client, or a skip that says how to install it."""
    path = CLIENT_DIRECTORY / "node_modules" / ".bin" / "claude"
    require("Claude Code client", "run `make client` (needs node and npm)", present=path.exists())
    return path
