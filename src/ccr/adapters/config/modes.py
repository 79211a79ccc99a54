"""Who else may read or write the configuration file: it holds keys, and whoever writes it has them all."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ccr.adapters.config.expand import is_secret_name
from ccr.adapters.config.problems import parse_path
from ccr.adapters.config.urls import is_loopback
from ccr.domain.errors import Problem

if TYPE_CHECKING:
    from ccr.application.settings import Settings

__all__ = ["check_modes"]

_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def check_modes(path: Path, settings: Settings) -> Problem | None:
    """Return what is wrong with the file's permissions: an error where others could have written what a team runs on.

    Others may read it as long as every key in it is a reference, as in a container that mounts it.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        return None
    if os.name != "posix":
        return None
    hint = f"chmod 600 {path}"
    if mode & _OTHERS_WRITE:
        shared = not is_loopback(settings.server.host)
        severity = "error" if shared else "warning"
        message = "can be written by other users of this machine, who could send your keys where they like"
        return Problem(str(path), 0, 0, "$", message, hint, severity)
    if mode & _OTHERS_READ and _holds_secrets(settings):
        return Problem(
            str(path),
            0,
            0,
            "$",
            "holds keys, and can be read by other users of this machine",
            hint,
            "warning",
        )
    return None


def _holds_secrets(settings: Settings) -> bool:
    """Whether a secret stands in the file itself. Within a list of keys it is the list's name that tells."""
    return any(
        origin == "file" and any(isinstance(step, str) and is_secret_name(step) for step in parse_path(name))
        for name, origin in settings.origins.items()
    )
