"""`make soak`: traffic for some minutes, then what has grown.

python -m tests.support.soak [MINUTES [SEED]]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.soak.soak import problems, soak, summary


def say(line: str) -> None:
    """Print at once: a soak is long."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: Sequence[str]) -> int:
    """Run; 1 if anything was lost or grows."""
    if sys.platform != "linux":
        say("soak: needs Linux (/proc)")
        return 2
    minutes = float(words[0]) if words else 30.0
    seed = int(words[1]) if len(words) > 1 else int(time.time())
    with tempfile.TemporaryDirectory() as folder:
        soaked = soak(minutes, seed, Path(folder), say)
    for line in summary(soaked):
        say(line)
    wrong = problems(soaked)
    for problem in wrong:
        say(f"FAIL {problem}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
