"""Fuzz from the command line: ``python -m tests.support.fuzz.run --seconds 60 [TARGET ...]``.

The corpus grows in ``.cache/fuzz/<target>``; what breaks a promise is left beside it as ``crash-*``.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from attrs import frozen

from tests.support.fuzz.targets import TARGETS

__all__ = ["Fuzzed", "fuzz", "has_fuzzer", "is_made_for"]

ROOT = Path(__file__).resolve().parents[3]
CACHE = ROOT / ".cache" / "fuzz"
_LONGEST_INPUT = 16 * 1024
_HANG_SECONDS = 20


@frozen
class Fuzzed:
    """How it went; ``said`` is all that the fuzzer said."""

    code: int
    said: str

    @property
    def runs(self) -> int:
        """Inputs that were tried."""
        done = [line for line in self.said.splitlines() if line.startswith("Done ")]
        return int(done[-1].split()[1]) if done else 0


def has_fuzzer() -> bool:
    """Whether atheris is there."""
    return find_spec("atheris") is not None


def is_made_for() -> bool:
    """Whether there is an atheris for this machine and this Python (pyproject.toml)."""
    return sys.version_info < (3, 12) and sys.platform == "linux" and platform.machine() == "x86_64"


def fuzz(name: str, seconds: int, folder: Path = CACHE) -> Fuzzed:
    """Fuzz one target for so many seconds, beginning with its seeds and what was found before."""
    corpus = folder / name
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in TARGETS[name].seeds():
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    command = [
        sys.executable,
        "-m",
        "tests.support.fuzz.one",
        name,
        str(corpus),
        f"-max_total_time={seconds}",
        f"-max_len={_LONGEST_INPUT}",
        f"-timeout={_HANG_SECONDS}",
        "-rss_limit_mb=2048",
        f"-artifact_prefix={folder}/{name}-",
    ]
    done = subprocess.run(
        command,
        cwd=ROOT,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + 240,
        check=False,
    )
    return Fuzzed(done.returncode, done.stdout + done.stderr)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz.run")
    parser.add_argument("--seconds", type=int, default=60, help="for each target")
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(TARGETS)}; all of them by default")
    given = parser.parse_args()
    if not has_fuzzer():
        print("atheris is not there: it is made for Python 3.11 on Linux x86_64; `make install` brings it")
        return 2
    bad = 0
    for name in given.targets or TARGETS:
        result = fuzz(name, given.seconds)
        bad += result.code != 0
        print(f"{name:24} {result.runs:9} inputs  {'BROKEN' if result.code else 'fine'}", flush=True)
        if result.code:
            print(result.said[-4000:])
            print(f"see {CACHE}/{name}-crash-*")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
