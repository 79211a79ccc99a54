"""Compile the three locks: pinned, hashed, for every platform, with no index address in them.

Called by `make lock` with the path of uv. Give `--upgrade` through UPGRADE=1 in the environment.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

LOCKS = {
    "runtime": [],
    "build": ["--group", "build"],
    "dev": ["--group", "dev", "-c", "requirements/runtime.txt", "-c", "requirements/build.txt"],
}
NEEDS_PROJECT = {"runtime", "dev"}
OPTIONS = [
    "--quiet",
    "--universal",
    "--python-version=3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--no-config",
]


def main(uv: str) -> int:
    environment = dict(os.environ, UV_CUSTOM_COMPILE_COMMAND="make lock")
    upgrade = ["--upgrade"] if os.environ.get("UPGRADE") else []
    for name, extra in LOCKS.items():
        source = ["pyproject.toml"] if name in NEEDS_PROJECT else []
        target = Path("requirements") / f"{name}.txt"
        command = [uv, "pip", "compile", *OPTIONS, *upgrade, *source, *extra, "-o", str(target)]
        subprocess.run(command, env=environment, check=True)
        if re.search(r"https?://|--index-url|--extra-index-url|--find-links", target.read_text()):
            print(f"{target}: an address got into the lock", file=sys.stderr)
            return 1
        print(f"{target}: {sum('==' in line for line in target.read_text().splitlines())} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
