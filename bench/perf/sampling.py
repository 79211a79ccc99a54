"""A profile of what runs in this process: samples by CPU time, and a count of calls.

A tracing profiler charges each call of a Python function with the tracing itself, so that code of many small functions
looks worse than it is. Here the kernel's profiling timer interrupts every millisecond of CPU time and the stack is noted;
what C code spends is charged to the Python line that called it. The interpreter looks for signals between its steps only, so
a ``def`` line high in the table stands for what was done just before that call. Calls are counted in a run of their own.
"""

from __future__ import annotations

import signal
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

TOP = 40
INTERVAL = 0.001
COUNTED = 20
"""Requests whose calls are counted."""
ROOT = str(Path(__file__).resolve().parents[2])

Work = Callable[[], Awaitable[None]]
Prepare = Callable[[int], Work]
"""Makes so many requests, which is not looked at, and gives what sends them, which is."""


class Samples:
    """``own`` and ``within`` by code object, ``lines`` by code object and line number."""

    def __init__(self) -> None:
        self.own: Counter[CodeType] = Counter()
        self.within: Counter[CodeType] = Counter()
        self.lines: Counter[tuple[CodeType, int]] = Counter()
        self.stacks: Counter[tuple[CodeType, ...]] = Counter()
        """Outermost function first."""
        self.taken = 0

    def take(self, _signal: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.taken += 1
        self.own[frame.f_code] += 1
        self.lines[frame.f_code, frame.f_lineno or 0] += 1
        stack = []
        while frame is not None:
            stack.append(frame.f_code)
            frame = frame.f_back
        self.within.update(set(stack))
        self.stacks[tuple(reversed(stack))] += 1


async def sampled(prepare: Prepare, batch: int, seconds: float) -> tuple[Samples, float]:
    """Samples, and microseconds of this thread for each request."""
    samples, done, spent = Samples(), 0, 0.0
    end = time.monotonic() + seconds
    before = signal.signal(signal.SIGPROF, samples.take)
    try:
        while time.monotonic() < end:
            work = prepare(batch)
            began = time.thread_time()
            signal.setitimer(signal.ITIMER_PROF, INTERVAL, INTERVAL)
            await work()
            signal.setitimer(signal.ITIMER_PROF, 0)
            spent += time.thread_time() - began
            done += batch
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
    return samples, spent * 1e6 / done


async def counted(prepare: Prepare) -> tuple[Counter[CodeType], Counter[str]]:
    """Calls of Python functions, and of C functions by name, in ``COUNTED`` requests."""
    python: Counter[CodeType] = Counter()
    native: Counter[str] = Counter()

    def note(frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            python[frame.f_code] += 1
        elif event == "c_call":
            native[getattr(argument, "__qualname__", repr(argument))] += 1

    work = prepare(COUNTED)
    sys.setprofile(note)
    try:
        await work()
    finally:
        sys.setprofile(None)
    return python, native


def place(code: CodeType) -> str:
    file = code.co_filename.removeprefix(ROOT + "/").removeprefix("src/")
    if "site-packages/" in file:
        file = file.split("site-packages/", 1)[1]
    elif "/lib/python" in file:
        file = file.split("/lib/python", 1)[1].split("/", 1)[-1]
    return f"{file}:{code.co_firstlineno} {code.co_qualname}"


async def profiled(prepare: Prepare, us: float, seconds: float) -> str:
    """Three tables as text. ``us``: about what one request takes, so that batches are neither long nor short."""
    samples, each = await sampled(prepare, max(5, min(500, int(100_000 / us))), seconds)
    python, native = await counted(prepare)
    share = each / max(1, samples.taken)
    lines = [f"{samples.taken} samples, {each:.0f} us a request in the loop's thread while sampled", ""]

    def row(code: CodeType) -> str:
        own, within = samples.own[code], samples.within[code]
        return (
            f"{own * share:8.1f}{own / samples.taken:7.1%}{within * share:9.1f}{within / samples.taken:7.1%}"
            f"{python[code] / COUNTED:8.1f}  {place(code)}"
        )

    head = f"{'own us':>8}{'':>7}{'incl us':>9}{'':>7}{'calls':>8}  function"
    lines += [f"The top {TOP} by own time (C functions are their caller's)", head]
    lines += [row(code) for code, _ in samples.own.most_common(TOP)]
    lines += ["", f"The top {TOP} by inclusive time", head]
    lines += [row(code) for code, _ in samples.within.most_common(TOP)]
    lines += ["", f"The top {TOP} lines by own time", f"{'own us':>8}{'':>7}  line"]
    for (code, line), own in samples.lines.most_common(TOP):
        lines.append(f"{own * share:8.1f}{own / samples.taken:7.1%}  {source(code, line)}")
    lines += ["", f"Calls a request: {python.total() / COUNTED:.0f} of Python functions, the most frequent"]
    lines += [f"{count / COUNTED:8.1f}  {place(code)}" for code, count in python.most_common(25)]
    lines += ["", f"and {native.total() / COUNTED:.0f} of C functions"]
    lines += [f"{count / COUNTED:8.1f}  {name}" for name, count in native.most_common(25)]
    return "\n".join(lines)


def source(code: CodeType, line: int) -> str:
    import linecache

    name = place(code).split(":", 1)[0]
    return f"{name}:{line} {linecache.getline(code.co_filename, line).strip()[:90]}"
