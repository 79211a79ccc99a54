"""The log of this process: events in, redacted lines out, to a file and, in the foreground, to the terminal."""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Container, Iterable, Mapping, MutableMapping
from datetime import datetime
from pathlib import Path
from typing import Any, TextIO

import structlog

from ccr.adapters.logs.console import render
from ccr.adapters.logs.files import FileWriter
from ccr.adapters.logs.redact import Redactor
from ccr.adapters.wire import json
from ccr.application.settings import LogSettings
from ccr.domain.errors import Problem

__all__ = ["LEVELS", "Logs"]

LEVELS: Mapping[str, int] = {
    "trace": 10,
    "debug": 20,
    "info": 30,
    "warn": 40,
    "warning": 40,
    "error": 50,
    "critical": 60,
    "fatal": 60,
    "silent": 100,
}
"""The ancestor's names and numbers (pino), and structlog's words for the same."""


class Logs:
    """``configure`` may be called again at any time; lines before the first call go to the terminal only."""

    def __init__(self, now: Callable[[], datetime], stream: TextIO | None = None) -> None:
        self._now = now
        self._stream = stream or sys.stderr
        self._level = LEVELS["info"]
        self._console = True
        self._files: FileWriter | None = None
        self._dropped = 0
        self.redactor = Redactor()
        self.logger: Any = structlog.wrap_logger(
            structlog.PrintLogger(),
            processors=[
                self._filter,
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                self.redactor,
                self._write,
            ],
            wrapper_class=structlog.BoundLogger,
        )

    def configure(
        self, settings: LogSettings, directory: Path, secrets: Iterable[str], *, console: bool
    ) -> None:
        """Write by these settings from now on; ``directory`` is used unless the settings name one."""
        self.redactor.know(secrets)
        self._level = LEVELS.get(settings.level.lower(), LEVELS["info"])
        self._console = console
        wanted = Path(settings.directory).expanduser() if settings.directory else directory
        if not settings.enabled or (self._files is not None and self._files.directory != wanted):
            self.close()
        if settings.enabled and self._files is None:
            self._files = FileWriter(wanted, now=self._now)

    def writes(self, level: str) -> bool:
        """Whether a line of this level goes anywhere."""
        return LEVELS[level] >= self._level and (self._files is not None or self._console)

    def often(self, level: str, event: str, line: dict[str, Any], ours: Container[str]) -> None:
        """Log what ``logger`` would, for lines that are written by the thousand; takes ``line`` over.

        ``ours`` are the fields whose values nobody else chooses, so that there is nothing to redact in them. No field has
        the name of a secret. Whoever asks has asked :meth:`writes`.
        """
        clean = self.redactor.value
        for name, said in line.items():
            if name not in ours:
                line[name] = clean(said)
        line["event"], line["level"] = event, level
        line["timestamp"] = self._now().isoformat().replace("+00:00", "Z")
        self._put(line)

    def fault(self, place: str, error: BaseException) -> None:
        """Log something contained: the class, its sentence, and where it was raised, without values."""
        where = traceback.extract_tb(error.__traceback__)
        trace = "".join(
            f"  {frame.filename}:{frame.lineno} in {frame.name}\n" for frame in where[-12:]
        ).rstrip()
        # Redacted before it is cut: half a key would not be known for one.
        message = self.redactor.text(str(error)[:10_000])[:500]
        self.logger.error("fault", place=place, error=type(error).__name__, message=message, trace=trace)

    def blocked(self, seconds: float, where: str) -> None:
        """Log that the event loop stands still, and where."""
        self.logger.error(
            "blocked", seconds=round(seconds, 1), message="the event loop stands still", trace=where
        )

    def problem(self, problem: Problem) -> None:
        """Log a problem of the configuration."""
        log = self.logger.error if problem.severity == "error" else self.logger.warning
        log("configuration", problem=str(problem))

    @property
    def dropped(self) -> int:
        """Lines that could not be written since this process began."""
        return self._dropped + (self._files.dropped if self._files is not None else 0)

    def close(self) -> None:
        """Write what is queued and close the file."""
        if self._files is not None:
            self._files.close()
            self._dropped += self._files.dropped
            self._files = None

    def _filter(
        self, _logger: object, name: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        if LEVELS.get(name, self._level) < self._level:
            raise structlog.DropEvent
        return event

    def _write(self, _logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
        self._put(event)
        raise structlog.DropEvent

    def _put(self, event: Mapping[str, Any]) -> None:
        if self._files is not None:
            self._files.write(json.encode_wire(event))
        if self._console:
            try:
                self._stream.write(render(event) + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # the terminal or the pipe is gone: that must not fail a request
                self._console = False
