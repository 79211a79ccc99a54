"""Writes what follows from capacity.toml into docs/explanation/capacity.md and docs/assets/capacity.js, and takes its constants
from a run of `make bench`."""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import capacity
import capacity_sim
from capacity import Constants, Demand, Fleet
from capacity_sim import Kind
from page import replaced

DOCS = capacity.HERE.parent / "docs"
PAGE, SCRIPT = DOCS / "explanation/capacity.md", DOCS / "assets/capacity.js"
RESULTS = capacity.HERE / "results/latest.json"
SEED = 1
STEADY_EVENTS, STEADY_GAP_S = 21, 0.3
"""Of a stream of `capacity_probe.py steady`: events in all, and seconds between two."""

TYPICAL = Demand()
MIXES: dict[str, Demand] = {
    "Claude Code, translated": TYPICAL,
    "Claude Code, relayed": replace(TYPICAL, translate_share=0),
    "the same, two tokens an event": replace(TYPICAL, translate_share=0, events_per_token=0.5),
    "long thinking: 2500 tokens a turn, one a minute": replace(
        TYPICAL, turns_per_minute=1, reply_tokens=2500, events_per_token=0.5
    ),
    "slow models: 10 tokens/s, one turn a minute": replace(
        TYPICAL, turns_per_minute=1, tokens_per_second=10, first_token_s=5
    ),
    "short requests: 1 kB, 50 tokens, 12 a minute": replace(
        TYPICAL, turns_per_minute=12, request_kb=1, reply_tokens=50, new_share=0
    ),
}
ONE = Fleet(replicas=1, lost=0)
MACHINES = {
    "2 cores, one worker": replace(ONE, cores=2, memory_mb=4096),
    "2 cores, 2 workers": replace(ONE, cores=2, workers=2, memory_mb=4096),
    "8 cores, 8 workers": replace(ONE, cores=8, workers=8, memory_mb=16384),
    "32 cores, 32 workers": replace(ONE, cores=32, workers=32, memory_mb=65536),
}
CLUSTERS = {f"{count} pods, one worker each": Fleet(replicas=count) for count in (2, 3, 6, 12, 24)}


def table(rows: Sequence[Sequence[str]]) -> str:
    made = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([made[0], "|" + "---|" * len(rows[0]), *made[1:]])


def constants_table(document: Mapping[str, Any]) -> str:
    rows = [["constant", "", "measured by"]]
    for name, entry in document.items():
        if "value" in entry:
            command = f"`{entry['command']}`" if not entry["command"].startswith("by ") else entry["command"]
            if "case" in entry:
                command += f", {entry['case']}"
            # A pipe would end the cell.
            what = f"{entry['what']} (`{name}`)"
            rows.append([what, f"{entry['value']:g} {entry['unit']}".strip(), command.replace("|", "\\|")])
    meta = document["meta"]
    return f"{table(rows)}\n\nTaken {meta['measured']}: {meta['machine']}."


def carried(demand: Demand, fleet: Fleet, c: Constants) -> tuple[float, capacity.Plan, str]:
    """The most agents, what they are to the fleet, and which limit ends it."""
    most = capacity.most_agents(demand, fleet, c)
    found = capacity.plan(replace(demand, agents=most), fleet, c)
    used = capacity.shares(found, fleet, c)
    return most, found, max(used, key=used.__getitem__)


def worker_table(c: Constants) -> str:
    rows = [
        [
            "what they do",
            "agents",
            "requests/s",
            "streams",
            "events/s",
            "memory",
            "log a day",
            "rows a day",
            "first met",
        ]
    ]
    for name, demand in MIXES.items():
        most, found, first = carried(demand, replace(ONE, memory_mb=2048), c)
        rows.append(
            [
                name,
                f"{most:.0f}",
                f"{found['requests']:.0f}",
                f"{found['streams']:.0f}",
                f"{found['events']:.0f}",
                f"{found['memory_a_replica_mb']:.0f} MB",
                f"{found['log_mb_a_day']:.0f} MB",
                f"{found['rows_a_day'] / 1e6:.1f} M",
                first,
            ]
        )
    return table(rows)


def fleets_table(fleets: Mapping[str, Fleet], c: Constants) -> str:
    """Each beside the same with sessions that stay at their worker."""
    titles = ("agents", "streams", "events/s", "memory of each", "first met")
    rows = [["", *titles, "agents, sessions sticky"]]
    for name, fleet in fleets.items():
        most, found, first = carried(TYPICAL, fleet, c)
        sticky, _, _ = carried(TYPICAL, replace(fleet, sticky=1), c)
        figures = (most, found["streams"], found["events"])
        memory = f"{found['memory_a_replica_mb']:.0f} MB"
        rows.append([name, *(f"{each:.0f}" for each in figures), memory, first, f"{sticky:.0f}"])
    return table(rows)


def crowds_table(document: Mapping[str, Any], c: Constants) -> str:
    rows = [["at once", "simulated: half, all begun", "measured: half, all", "CPU of the worker in that run"]]
    for found in document["crowds"]:
        half, whole = capacity_sim.crowd(found["streams"], c)
        rows.append(
            [
                str(found["streams"]),
                f"{half:.2f}, {whole:.2f} s",
                f"{found['half_ms'] / 1e3:.2f}, {found['all_ms'] / 1e3:.2f} s",
                f"{found['cpu_ms'] / 1e3:.2f} s",
            ]
        )
    return table(rows)


def steady_table(document: Mapping[str, Any], c: Constants) -> str:
    """Streams of the probe: a small request, STEADY_EVENTS events over six seconds. Simulated at the load that was measured."""
    rows = [
        [
            "new a second",
            "open",
            "events/s",
            "cores: computed",
            "measured",
            "TTFT p50, p99: simulated",
            "measured",
        ]
    ]
    for found in document["steady"]:
        rate = found["rate"]
        kind = Kind(
            rate,
            c["translate_small_ms"] / 1e3,
            STEADY_EVENTS,
            c["translate_event_us"] / 1e6,
            0.0,
            STEADY_GAP_S,
        )
        late = capacity_sim.waiting([kind], found["cores"], SEED).added
        p50, p99 = (capacity_sim.quantile(late, share) * 1e3 for share in (0.5, 0.99))
        rows.append(
            [
                str(rate),
                f"{rate * STEADY_EVENTS * STEADY_GAP_S:.0f}",
                str(rate * STEADY_EVENTS),
                f"{capacity_sim.load_of([kind]):.2f}",
                f"{found['cores']:.2f}",
                f"{p50:.1f}, {p99:.0f} ms",
                f"{found['p50_ms']:g}, {found['p99_ms']:g} ms",
            ]
        )
    return table(rows)


def sessions_table(document: Mapping[str, Any], c: Constants) -> str:
    """Sessions that ask in a random order. Computed from the later turns of the least of them."""
    rows = [["sessions", "a first turn", "a later turn", "computed", "memory", "computed"]]
    least = document["sessions"][0]
    for found in document["sessions"]:
        demand = replace(TYPICAL, agents=found["count"], new_share=0)
        held = capacity.costs(demand, ONE, c, 1)["known"]
        later = least["later_ms"] + (1 - held) * (c["translate_forgotten_ms"] - c["translate_big_ms"])
        filled = min(1.0, found["count"] * demand.request_kb / c["memo_kb"])
        memory = c["parent_mb"] + c["worker_mb"] + c["vocabulary_mb"] + c["caches_mb"] * filled
        rows.append(
            [
                str(found["count"]),
                f"{found['first_ms']:.1f} ms",
                f"{found['later_ms']:.1f} ms",
                f"{later:.1f} ms",
                f"{found['memory_mb']} MB",
                f"{memory:.0f} MB",
            ]
        )
    return table(rows)


def waiting_tables(c: Constants) -> dict[str, str]:
    found = capacity_sim.tables(TYPICAL, c, SEED)
    *waits, (knee,) = found["waiting"]
    return {"waiting": f"{table(waits)}\n\n{knee}", "bursts": table(found["bursts"])}


def sections(document: Mapping[str, Any], c: Constants) -> dict[str, str]:
    return {
        "constants": constants_table(document),
        "worker": worker_table(c),
        "machines": fleets_table(MACHINES, c),
        "clusters": fleets_table(CLUSTERS, c),
        "crowds-simulated": crowds_table(document, c),
        "steady": steady_table(document, c),
        "sessions": sessions_table(document, c),
        **waiting_tables(c),
    }


def script(text: str, c: Constants) -> str:
    """The calculator with these constants, and the inputs of the command line."""
    inputs = {
        kind.__name__.lower(): {
            each.name: {"value": each.default, "what": each.metadata["what"]} for each in fields(kind)
        }
        for kind in (Demand, Fleet)
    }
    made = [f"  const CONSTANTS = {json.dumps(c)};"]
    for group, given in inputs.items():
        made += [
            f"    {group}: {{",
            *(f"      {name}: {json.dumps(each)}," for name, each in given.items()),
            "    },",
        ]
    made = [made[0], "  const INPUTS = {", *made[1:], "  };"]
    begin, end = "  /* generated */\n", "  /* end of generated */"
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return before + begin + "\n".join(made) + "\n" + end + after


def written(sections: Mapping[str, str], c: Constants) -> dict[Path, str]:
    text = PAGE.read_text()
    for name, section in sections.items():
        text = replaced(text, name, section)
    return {PAGE: text, SCRIPT: script(SCRIPT.read_text(), c)}


def taken(text: str, results: Mapping[str, Any], when: str) -> str:
    """capacity.toml with the values that a run of `make bench` has for its cases."""
    document = tomllib.loads(text)
    for name, entry in document.items():
        if "case" in entry:
            found = results["ccr"].get(entry["case"], {}).get(entry["key"])
            if found is not None:
                text = re.sub(rf"(?m)(^\[{name}\]\nvalue = ).*$", rf"\g<1>{found:.3g}", text)
    return re.sub(r'(?m)^measured = ".*"$', f'measured = "{when[:10]}"', text)


def run(options: argparse.Namespace) -> int:
    if options.take:
        results: dict[str, Any] = json.loads(RESULTS.read_text())
        if not results.get("whole"):
            print("bench/results/latest.json is not of a whole run", file=sys.stderr)
            return 2
        capacity.CONSTANTS.write_text(
            taken(capacity.CONSTANTS.read_text(), results["results"], results["when"])
        )
    if not (options.write_docs or options.check):
        return 0
    document, c = tomllib.loads(capacity.CONSTANTS.read_text()), capacity.constants()
    stale = [
        path
        for path, text in written(sections(document, c), c).items()
        if put(path, text, options.write_docs)
    ]
    for path in stale:
        print(
            f"{path.name}: {'written' if options.write_docs else 'stale: python bench/capacity.py --write-docs'}"
        )
    return 1 if stale and not options.write_docs else 0


def put(path: Path, text: str, write: bool) -> bool:
    """Whether the file has another text; it is written if so, and if that is wanted."""
    if path.read_text() == text:
        return False
    if write:
        path.write_text(text)
    return True
