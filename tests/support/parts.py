"""Parts of the machine that a test needs and may not find: a skip with a reason, and a failure in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn, TypeVar

import pytest

T = TypeVar("T")

CLIENT_DIRECTORY = Path(__file__).resolve().parents[1] / "integration" / "claude_code"


def in_ci() -> bool:
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def missing(part: str, reason: str) -> NoReturn:
    """End the test because `part` is not there: skipped on a person's machine, failed with CI=true."""
    message = f"missing part: {part}: {reason}"
    if in_ci():
        pytest.fail(message, pytrace=False)
    pytest.skip(message)


def require(found: T | None, part: str, reason: str) -> T:
    """`found`, unless it is None: then the test ends, for `part` is not there.

    `reason` says what to do about it, as "run `make client` (needs npm)".
    """
    if found is None:
        missing(part, reason)
    return found


def require_program(name: str, reason: str) -> Path:
    """Path of a program on PATH, or a skip that says how to install it."""
    program = require(shutil.which(name), name, reason)
    return Path(program)


def require_client() -> Path:
    """Path of the pinned Claude Code client, or a skip that says how to install it."""
    path = CLIENT_DIRECTORY / "node_modules" / ".bin" / "claude"
    return require(path if path.exists() else None, "Claude Code client", "run `make client` (needs npm)")
