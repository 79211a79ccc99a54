"""What the kernel knows about a process and its children."""

from __future__ import annotations

import os
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """The fields after the name, which may hold anything: state is 0, ppid 1, utime 11, stime 12."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def alive(pid: int) -> bool:
    """Whether it runs: a process that ended and was not yet waited for does not."""
    try:
        return _stat(pid)[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def tree(root: int) -> list[int]:
    """The process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except (FileNotFoundError, ProcessLookupError):
                continue
    found = [root]
    for pid in found:
        found += children.get(pid, [])
    return found


def cpu_seconds(root: int) -> float:
    """User and system time of the tree, of children that ended too. Steps of one tick, 10 ms."""
    total = 0.0
    for pid in tree(root):
        try:
            total += sum(map(int, _stat(pid)[11:15])) * TICK
        except (FileNotFoundError, ProcessLookupError):
            continue
    return total


def memory_mb(root: int) -> float:
    """Proportional set size of the tree: memory shared by its processes counts once."""
    return sum(map(_memory_mb, tree(root)))


def largest_mb(root: int) -> float:
    """That of the largest process of the tree: of ours with one worker, the worker."""
    return max(map(_memory_mb, tree(root)))


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024
