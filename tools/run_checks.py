"""`make lint`: every tool runs, also after one has complained; the summary names those that did."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
SOURCES = [name for name in ("src", "tests", "tools", "bench") if (ROOT / name).is_dir()]
PROSE = [name for name in ("docs", "README.md", "ARCHITECTURE.md", "CHANGELOG.md") if (ROOT / name).exists()]

CHECKS: dict[str, list[str]] = {
    "ruff format": [str(BIN / "ruff"), "format", "--check", "--quiet", *SOURCES],
    "ruff check": [str(BIN / "ruff"), "check", "--quiet", *SOURCES],
    "import-linter": [str(BIN / "lint-imports"), "--no-cache"],
    "deptry": [str(BIN / "deptry"), "src"],
    "codespell": [str(BIN / "codespell"), *SOURCES, *PROSE],
    "slotscheck": [str(BIN / "slotscheck"), "-m", "ccr"],
    "module size": [sys.executable, "tools/check_module_size.py"],
}


def main() -> int:
    failed = []
    for name, command in CHECKS.items():
        started = time.monotonic()
        done = subprocess.run(
            command, cwd=ROOT, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        word = "FAILED" if done.returncode else "ok"
        print(f"{name:14} {word:7} {time.monotonic() - started:5.1f} s", flush=True)
        if done.returncode or name == "module size":
            print(done.stdout, end="", flush=True)
        if done.returncode:
            failed.append(name)
    if failed:
        print(f"lint: {', '.join(failed)} failed", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
