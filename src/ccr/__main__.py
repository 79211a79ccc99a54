"""``python -m ccr`` is ``ccr``."""

from __future__ import annotations

import sys

from ccr.entrypoints.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
