"""Log files: written by a thread of their own, so that no disk holds up a request."""

from __future__ import annotations

import os
import re
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

__all__ = ["FileWriter"]

_MOST_QUEUED = 10_000
"""Lines; about 10 MB of a burst. What does not fit is dropped and counted."""
_GATHER = 0.05
"""Seconds that lines are gathered for: to wake the thread for each costs the event loop more than the line."""
_MOST_BYTES = 50 * 1024 * 1024
"""Of one file, as in the ancestor."""
_MOST_FILES = 9
_OURS = re.compile(r"ccr-\d{8}(?:\.\d+)?\.log")
"""Only these are ever deleted: ``Logging.directory`` may be a directory with other people's files in it."""


class FileWriter:
    """Appends lines to ``ccr-YYYYMMDD.log`` (UTC), ``ccr-YYYYMMDD.1.log`` and so on as they grow; keeps nine files.

    A disk that is full or gone stops logging, not serving: lines are dropped and counted until it is back.
    ``dropped`` is the count; a whole buffer that could not be flushed is counted line by line.
    """

    def __init__(
        self,
        directory: Path,
        *,
        now: Callable[[], datetime],
        most_bytes: int = _MOST_BYTES,
        most_queued: int = _MOST_QUEUED,
    ) -> None:
        self.directory = directory
        self.dropped = 0
        self._now = now
        self._most_bytes = most_bytes
        self._most_queued = most_queued
        self._lines: deque[bytes] = deque()
        self._some = threading.Event()
        self._ending = threading.Event()
        self._file: BinaryIO | None = None
        self._unflushed = 0
        self._day = ""
        self._thread = threading.Thread(target=self._run, name="ccr-log", daemon=True)
        self._thread.start()

    def write(self, line: bytes) -> None:
        """Queue a line without its newline. Never blocks."""
        if len(self._lines) >= self._most_queued:
            self.dropped += 1
            return
        self._lines.append(line)
        if not self._some.is_set():
            self._some.set()

    def close(self) -> None:
        """Write what is queued, and end. Waits three seconds at most; what is not written by then is lost."""
        self._ending.set()
        self._some.set()
        self._thread.join(timeout=3)

    def _run(self) -> None:
        while not self._ending.is_set():
            self._some.wait()
            self._ending.wait(_GATHER)
            self._some.clear()  # before the lines are taken: one that comes later sets it again
            self._write_all()
        self._write_all()
        try:
            self._shut()
        except OSError:
            self._give_up()

    def _write_all(self) -> None:
        while self._lines:
            line = self._lines.popleft()
            self._unflushed += 1
            try:
                self._append(line)
            except OSError:
                self._give_up()
        try:
            if self._file is not None:
                self._file.flush()
            self._unflushed = 0
        except OSError:
            self._give_up()

    def _append(self, line: bytes) -> None:
        day = self._now().strftime("%Y%m%d")
        if self._file is None or day != self._day or self._file.tell() + len(line) > self._most_bytes:
            self._open(day)
        assert self._file is not None
        self._file.write(line + b"\n")

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
        self._prune(path)

    def _prune(self, current: Path) -> None:
        """Keep the newest files. Other workers prune the same directory, so a file may be gone at any moment."""
        aged = []
        for path in self.directory.glob("ccr-*.log"):
            if path != current and _OURS.fullmatch(path.name):
                with suppress(OSError):
                    aged.append((path.stat().st_mtime_ns, path))
        for _, path in sorted(aged)[: -(_MOST_FILES - 1)]:
            with suppress(OSError):
                path.unlink()

    def _shut(self) -> None:
        """Close the file; raises OSError if what was buffered cannot be written."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()
            # The line in hand is not in that file.
            self._unflushed = min(self._unflushed, 1)

    def _give_up(self) -> None:
        """Count what is lost, and begin with a fresh file next time."""
        self.dropped += self._unflushed
        self._unflushed = 0
        if self._file is not None:
            file, self._file = self._file, None
            with suppress(OSError):
                file.close()
