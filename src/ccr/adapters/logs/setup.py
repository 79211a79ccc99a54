"""Where log lines go."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import structlog

from ccr.application.settings import LogSettings
from ccr.domain.errors import Problem

__all__ = ["Logs"]


class Logs:
    """The process's log."""

    def __init__(self) -> None:
        self.logger = structlog.get_logger("ccr")

    def configure(self, settings: LogSettings, directory: Path, secrets: Iterable[str], *, console: bool) -> None:
        """Write by these settings from now on."""

    def fault(self, place: str, error: BaseException) -> None:
        """Log something contained."""
        self.logger.error("fault", place=place, error=type(error).__name__, exc_info=error)

    def problem(self, problem: Problem) -> None:
        """Log a problem of the configuration."""
        self.logger.warning("configuration", problem=str(problem))

    def close(self) -> None:
        """Write what is queued and stop."""
