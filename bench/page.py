"""Puts tables into docs/explanation/performance.md, each between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.

python bench/page.py        writes all tables anew from what lies in bench/results
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import tables
import targets

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs/explanation/performance.md"
ALONE = {
    "closed": tables.closed,
    "paced": tables.paced,
    "rates": tables.rates,
    "crowds": tables.crowds,
    "workers": tables.workers,
    "rest": tables.rest,
}
BESIDE = {
    "peers-cpu": tables.peers_cpu,
    "peers-ttft": tables.peers_ttft,
    "peers-facts": tables.peers_facts,
    "verdict": tables.verdict,
}


def replaced(page: str, name: str, text: str) -> str:
    """The page with this text in the place of that name. Raises KeyError when there is no such place."""
    begin, end = f"<!-- bench:{name} -->", f"<!-- /bench:{name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise KeyError(f"{name}: the page needs {begin} and {end}, once each")
    made, _, _ = page.partition(begin)
    _, _, after = page.partition(end)
    return f"{made}{begin}\n\n{text.strip()}\n\n{end}{after}"


def places(page: str) -> list[str]:
    return re.findall(r"<!-- bench:(\S+) -->", page)


def sections(bench: dict[str, Any] | None, peers: dict[str, Any] | None) -> dict[str, str]:
    """The text of each place that these results can fill."""
    found = {}
    if bench is not None:
        found |= {name: make(bench) for name, make in ALONE.items()}
    if peers is not None:
        found |= {name: make(peers) for name, make in BESIDE.items()}
    if found:
        found["targets"] = tables.promised(targets.rows(bench, peers))
    return found


def write(found: dict[str, str], path: Path = PAGE) -> None:
    text = path.read_text()
    for name, section in found.items():
        text = replaced(text, name, section)
    path.write_text(text)


def results(name: str) -> dict[str, Any] | None:
    """What the last run wrote, if it was a whole one."""
    path = HERE / f"results/{name}.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found if found.get("whole") else None


def main() -> int:
    found = sections(results("latest"), results("peers"))
    if not found:
        print("there are no results of whole runs yet: make bench, make peers", file=sys.stderr)
        return 1
    write(found)
    print(f"written into {PAGE.name}: {', '.join(found)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
