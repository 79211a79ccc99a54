"""One target under atheris, in a process of its own: libFuzzer ends the process that it runs in.

``python -m tests.support.fuzz.one TARGET CORPUS... -max_total_time=60``
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(
    include=["ccr.adapters.config", "ccr.adapters.dialects", "ccr.adapters.wire", "ccr.domain"]
):
    from tests.support.fuzz.targets import TARGETS


def main() -> None:
    name, *rest = sys.argv[1:]
    atheris.Setup([sys.argv[0], *rest], TARGETS[name].check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
