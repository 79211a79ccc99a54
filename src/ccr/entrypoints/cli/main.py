"""The command line's entry (a stub until the commands arrive)."""

from __future__ import annotations

import sys


def main() -> int:
    """Say which program this is."""
    sys.stdout.write("ccr 0.1.0\n")
    return 0
