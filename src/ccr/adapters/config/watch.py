"""Tells when a file has another content, however it was saved: in place, by rename, through a symbolic link."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import watchfiles

__all__ = ["poll", "watch"]

DEBOUNCE_MS = 200
"""An editor's save is several events; they are told as one."""
POLL_SECONDS = 1.0


async def watch(path: Path) -> AsyncIterator[None]:
    """Yield after each change of the content of ``path``, until closed.

    The directory is watched, not the file: editors replace files. Falls back to polling where the system offers no
    notification (no directory yet, too many watches, some network mounts).
    """
    seen = await asyncio.to_thread(_digest, path)
    try:
        directories = await asyncio.to_thread(_directories, path)
        async for _ in watchfiles.awatch(
            *directories, debounce=DEBOUNCE_MS, recursive=False, watch_filter=None
        ):
            now = await asyncio.to_thread(_digest, path)
            if now != seen:
                seen = now
                yield
    except (OSError, RuntimeError):
        async for change in poll(path, seen=seen):
            yield change


async def poll(
    path: Path, *, seen: bytes | None = None, interval: float = POLL_SECONDS
) -> AsyncIterator[None]:
    """As :func:`watch`, by looking every ``interval`` seconds; ``seen`` is the digest to start from."""
    seen = seen if seen is not None else await asyncio.to_thread(_digest, path)
    stamp: tuple[int, ...] | None = None
    while True:
        await asyncio.sleep(interval)
        now_stamp = await asyncio.to_thread(_stamp, path)
        if now_stamp == stamp:
            continue
        stamp = now_stamp
        now = await asyncio.to_thread(_digest, path)
        if now != seen:
            seen = now
            yield


def _directories(path: Path) -> set[Path]:
    """Where the file stands, and where it really is."""
    return {path.parent, path.resolve().parent}


def _digest(path: Path) -> bytes:
    """Of the content; empty when there is none."""
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
