"""`make load`: the table, and whether every promise in it was kept.

python -m tests.support.load [STREAMS[+SURPLUS][/ROOM] ...]
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.support.load.crowd import files_allowed
from tests.support.load.steps import Row, Step, paced_provider, problems, run, table

STEPS = ("100", "500", "1000", "2000", "2000+200", "5000", "5000/5000")

PROMISED = 2_000
"""Streams of one worker; what becomes of more, where somebody has raised the limit, is told and not judged."""


def step_of(word: str) -> Step:
    """Read ``STREAMS[+SURPLUS][/ROOM]``."""
    streams, _, room = word.partition("/")
    first, _, surplus = streams.partition("+")
    return Step(int(first), int(surplus or 0), int(room) if room else None)


def main(words: Sequence[str]) -> int:
    """Run the steps one after the other; 1 if anything was lost, dropped, left behind or queued in silence."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        sys.stdout.write("load: needs gcc (the provider is compiled) and Linux (/proc)\n")
        return 2
    rows: list[Row] = []
    bad = False
    with tempfile.TemporaryDirectory() as folder, paced_provider(Path(folder)) as provider:
        for word in words or STEPS:
            step = step_of(word)
            if files_allowed(step.streams + 200) < step.streams + 200:
                sys.stdout.write(f"{word}: left out, this machine allows fewer descriptors (ulimit -Hn)\n")
                continue
            place = Path(folder) / f"step-{len(rows)}"
            place.mkdir()
            row = run(step, provider, place)
            rows.append(row)
            lines = list(table([row]))
            sys.stdout.write("\n".join(lines if len(rows) == 1 else lines[1:]) + "\n")
            for problem in problems(row):
                promised = min(step.streams, step.room) <= PROMISED
                bad |= promised
                sys.stdout.write(f"         {'FAIL' if promised else 'beyond what is promised:'} {problem}\n")
            sys.stdout.flush()
    return int(bad)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
