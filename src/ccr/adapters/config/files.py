"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

__all__ = ["back_up", "create_private", "locked", "make_private_directory", "read_text", "write_atomically"]

KEPT = 3
"""Versions that are kept beside the file."""


MOST_TEXT = 1024 * 1024
"""Bytes of a text file that the configuration names; a system prompt has ten thousand."""


def read_text(name: str) -> str:
    """Return a UTF-8 file that the configuration names. Raises OSError, or ValueError if it is no text or too long."""
    with Path(name).expanduser().open("rb") as file:
        data = file.read(MOST_TEXT + 1)
    if len(data) > MOST_TEXT:
        raise ValueError(f"has more than {MOST_TEXT} bytes")
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None


def make_private_directory(directory: Path, *, tighten: bool = False) -> None:
    """Create ``directory`` (0700) if it is missing; ``tighten``: take an existing one from everybody else too."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if tighten and directory.stat().st_uid == os.geteuid():
        directory.chmod(0o700)


def create_private(path: Path, data: bytes) -> None:
    """Write a file (0600) that must not exist yet, to the disk. Raises FileExistsError."""
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
    with os.fdopen(number, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def write_atomically(path: Path, data: bytes) -> None:
    """Replace ``path``: whoever reads sees the old text or the new one. A symbolic link keeps pointing there."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    try:
        create_private(temporary, data)
        temporary.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    number = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def back_up(path: Path, data: bytes, now: datetime) -> Path:
    """Keep ``data`` as ``<name>.<time>.bak`` beside the file, as the ancestor did, and only the newest three."""
    target = path.resolve()
    stamp = now.isoformat(timespec="microseconds").replace("+00:00", "Z").replace(":", "-").replace(".", "-")
    backup = target.with_name(f"{target.name}.{stamp}.bak")
    number = 0
    while True:
        try:
            create_private(backup, data)
            break
        except FileExistsError:
            number += 1
            backup = target.with_name(f"{target.name}.{stamp}-{number}.bak")
    kept = sorted(target.parent.glob(f"{_literal(target.name)}.*.bak"))
    for old in kept[:-KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return backup


def _literal(name: str) -> str:
    """A file name as a glob that matches only itself."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Be alone among processes that edit ``path``; waits for the others (they hold it for milliseconds)."""
    target = path.resolve()
    lock = target.with_name(f".{target.name}.lock")
    number = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(number, fcntl.LOCK_EX)
        yield
    finally:
        os.close(number)
