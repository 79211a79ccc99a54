"""The coverage gates: every branch of the domain and of the dialects, 90 % of the rest.

Uses what the unit and integration suites measured last if no source or test is newer (CI measures in
`make test`); otherwise runs the two suites once more, measured.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = ROOT / ".cache" / "suites" / "measured"
OVERALL = 90
GATES = [
    ("domain", "src/ccr/domain/*", 100),
    ("dialects", "src/ccr/adapters/dialects/*", 100),
    ("overall", "src/ccr/*", OVERALL),
]


def fresh() -> bool:
    """Whether the last measurement covers both suites and is newer than every file it speaks about."""
    if not MARK.exists() or not {"unit", "integration"} <= set(MARK.read_text().split()):
        return False
    measured = MARK.stat().st_mtime
    files = [path for top in ("src", "tests") for path in (ROOT / top).rglob("*.py")]
    return all(path.stat().st_mtime <= measured for path in files if "node_modules" not in path.parts)


def coverage(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "coverage", *arguments], cwd=ROOT, check=False).returncode


def main() -> int:
    if not fresh():
        MARK.unlink(missing_ok=True)
        command = [sys.executable, "tools/run_suites.py", "unit", "integration"]
        if subprocess.run(command, cwd=ROOT, env=dict(os.environ, COVERAGE="1"), check=False).returncode:
            print("coverage: a suite failed, so there is nothing to measure", file=sys.stderr)
            return 1
    if list(ROOT.glob(".coverage.*")) and coverage("combine", "--quiet"):
        return 1
    failed = []
    for name, include, least in GATES:
        print(f"\n== coverage: {name}, at least {least} % of lines and branches ==", flush=True)
        if coverage("report", f"--include={include}", f"--fail-under={least}", "--precision=1"):
            failed.append(name)
    if failed:
        print(f"coverage: below its gate: {', '.join(failed)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
