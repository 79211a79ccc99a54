"""Runs `counted.py` under valgrind and reads what it counted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.perf.workloads import workloads
from bench.perf.yardstick import YARDSTICK

HERE = Path(__file__).parent
LIMIT = 1800
"""Seconds; three minutes are usual on a machine with other work."""
MARK = re.compile(r"^desc: Trigger: Client Request: (\S+) (\d+) (\d+)$", re.MULTILINE)
SUMMARY = re.compile(r"^summary: (\d+)$", re.MULTILINE)

Rounds = dict[tuple[str, int], dict[int, int]]
"""Instructions by workload and exchange, then by requests of the round."""


def missing() -> str:
    """What of the tools is not there; empty if nothing is."""
    absent = [name for name in ("valgrind", "gcc") if shutil.which(name) is None]
    if not absent and not marks_compile():
        absent = ["valgrind's headers"]
    return ", ".join(absent)


def marks_compile() -> bool:
    source = b"#include <valgrind/callgrind.h>\n"
    command = ["gcc", "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input=source, capture_output=True, check=False).returncode == 0


def count(folder: Path, names: Sequence[str]) -> dict[str, float]:
    """Instructions a request by workload, and of a lap of the yardstick. Raises SystemExit with valgrind's last words."""
    library = folder / "marks.so"
    subprocess.run(["gcc", "-O1", "-shared", "-fPIC", "-o", library, HERE / "marks.c"], check=True)
    log = folder / "valgrind.log"
    command: list[str | Path] = [
        "valgrind",
        "--tool=callgrind",
        "--instr-atstart=no",
        f"--callgrind-out-file={folder / 'counts'}",
        f"--log-file={log}",
        sys.executable,
        HERE / "counted.py",
        library,
        *names,
    ]
    # Nothing of the environment may change what is done: no proxies, no locale, no other order of a set.
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "PYTHONHASHSEED": "0",
    }
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT,
    )
    if done.returncode:
        said = log.read_text("utf-8", "replace") if log.exists() else ""
        raise SystemExit(
            f"perf: the counted process failed ({done.returncode})\n{said[-1500:]}\n{done.stderr[-3000:]}"
        )
    return costs(rounds(folder))


def rounds(folder: Path) -> Rounds:
    found: Rounds = {}
    for file in folder.glob("counts*"):
        text = file.read_text()
        mark, summary = MARK.search(text), SUMMARY.search(text)
        if mark and summary:
            found.setdefault((mark[1], int(mark[2])), {})[int(mark[3])] = int(summary[1])
    return found


def costs(found: Rounds) -> dict[str, float]:
    """The slope of the two rounds of each exchange; an event is what a long stream costs more than a short one."""

    def slope(name: str, place: int) -> float:
        (few, least), (many, most) = sorted(found[name, place].items())
        return (most - least) / (many - few)

    costs = {YARDSTICK: slope(YARDSTICK, 0)}
    for name, workload in workloads().items():
        if (name, 0) in found:
            less = slope(name, 1) if workload.less is not None else 0.0
            costs[name] = (slope(name, 0) - less) / workload.share
    return costs


def dump_of(folder: Path, name: str) -> Path:
    """The file of the longer round of a workload."""
    found = {}
    for file in folder.glob("counts*"):
        mark = MARK.search(file.read_text())
        if mark and mark[1] == name and mark[2] == "0":
            found[int(mark[3])] = file
    return found[max(found)]
