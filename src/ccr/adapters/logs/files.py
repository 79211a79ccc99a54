"""Log files: written by a thread of their own, so that no disk holds up a request."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

__all__ = ["FileWriter"]

_MOST_QUEUED = 10_000
"""Lines; about 10 MB of a burst. What does not fit is dropped and counted."""
_MOST_BYTES = 50 * 1024 * 1024
"""Of one file, as in the ancestor."""
_MOST_FILES = 9
_STOP = b""


class FileWriter:
    """Appends lines to ``ccr-YYYYMMDD.log`` (UTC), ``ccr-YYYYMMDD.1.log`` and so on as they grow; keeps nine files.

    A disk that is full or gone stops logging, not serving: lines are dropped and counted until it is back.
    """

    def __init__(
        self, directory: Path, *, now: Callable[[], datetime], most_bytes: int = _MOST_BYTES
    ) -> None:
        self.directory = directory
        self.dropped = 0
        self._now = now
        self._most_bytes = most_bytes
        self._lines: queue.Queue[bytes] = queue.Queue(_MOST_QUEUED)
        self._file: BinaryIO | None = None
        self._day = ""
        self._thread = threading.Thread(target=self._run, name="ccr-log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Queue a line without its newline. Never blocks."""
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1

    def close(self) -> None:
        """Write what is queued, and end. Waits two seconds at most."""
        try:
            self._lines.put(_STOP, timeout=1)
        except queue.Full:
            return
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while (line := self._lines.get()) != _STOP:
            try:
                self._append(line)
            except OSError:
                self.dropped += 1
                self._shut()
        self._shut()

    def _append(self, line: bytes) -> None:
        day = self._now().strftime("%Y%m%d")
        if self._file is None or day != self._day or self._file.tell() + len(line) > self._most_bytes:
            self._open(day)
        assert self._file is not None
        self._file.write(line + b"\n")
        if self._lines.empty():
            self._file.flush()

    def _open(self, day: str) -> None:
        self._shut()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = 0
        while True:
            path = self.directory / (f"ccr-{day}.{number}.log" if number else f"ccr-{day}.log")
            if not path.exists() or path.stat().st_size < self._most_bytes:
                break
            number += 1
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        self._file, self._day = os.fdopen(descriptor, "ab"), day
        self._prune()

    def _prune(self) -> None:
        files = sorted(self.directory.glob("ccr-*.log"), key=lambda path: path.stat().st_mtime)
        for path in files[:-_MOST_FILES]:
            path.unlink(missing_ok=True)

    def _shut(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError:
                self.dropped += 1
