"""What ccr has promised to cost, what it did cost, and who was better: computed from the results of runs, never written by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from figures import Figures, Results, figure, ratio

OURS, ANCESTOR, TWO = "ccr", "ccr 2.0.0", "ccr, 2 workers"
Document = dict[str, Any]
"""What a run wrote: bench/results/latest.json (`run.py`) or peers.json (`peers.py`)."""


@dataclass(frozen=True)
class Row:
    """`met` is None for what is reported and not bounded, or was not measured."""

    workload: str
    target: str
    measured: str
    met: bool | None


@dataclass(frozen=True)
class Cost:
    """At most so much of `unit`, and the ancestor's figure at least `ancestor` times ours."""

    workload: str
    case: str
    most: float
    ancestor: float
    key: str = "cpu_ms"
    unit: str = "ms"


COSTS = (
    Cost("1 kB, not streamed, translated", "translate small", 0.25, 6),
    Cost("1 kB, 64-event stream", "translate small stream", 0.42, 6),
    Cost("120 kB (25 tools, 50 messages), not streamed", "translate big", 0.9, 40),
    Cost("120 kB, 64-event stream", "translate big stream", 1.2, 40),
    Cost("the same, nothing of it seen before", "translate big cold stream", 10, 4),
    Cost("paced stream, an event", "translate small stream paced", 32, 2, "cpu_us_per_event", "us"),
    Cost("tool-call stream", "translate small tools stream", 0.5, 6),
    Cost("relayed (Anthropic to Anthropic), 120 kB stream", "relay big stream", 0.5, 40),
)
ADDED = (
    ("added TTFT, median, 1 kB stream", "translate small stream", 0.6),
    ("added TTFT, median, 120 kB stream", "translate big stream", 1.5),
)
CROWD = "translate 5000 slow streams"
CROWD_STREAMS, CROWD_TTFT_MS, CROWD_MB = 5000, 1200, 300
IDLE_MB = 110
WORKERS_RATIO = 1.3


def rows(bench: Document | None, peers: Document | None) -> list[Row]:
    """Every target. What has a ratio to the ancestor is taken from the run beside peers, if there was one."""
    alone: Results = (bench or {}).get("results", {})
    beside: Results = (peers or {}).get("results", {})
    return [
        *(cost(alone, beside, given) for given in COSTS),
        *(added(alone or beside, *given) for given in ADDED),
        *crowd(alone.get(OURS, {}).get(CROWD)),
        idle(bench),
        *workers(alone),
    ]


def cost(alone: Results, beside: Results, given: Cost) -> Row:
    mine = figure(beside, OURS, given.case, given.key)
    if mine is None:
        mine = figure(alone, OURS, given.case, given.key)
    times = ratio(
        figure(beside, ANCESTOR, given.case, given.key), figure(beside, OURS, given.case, given.key)
    )
    target = f"{given.most:g} {given.unit}; ancestor {given.ancestor:g} x"
    if mine is None:
        return Row(given.workload, target, "not measured", None)
    said = f"{mine:.3g} {given.unit}; " + (
        "ancestor not measured" if times is None else f"ancestor {times:.1f} x"
    )
    met = mine <= given.most and (times is None or times >= given.ancestor)
    return Row(given.workload, target, said, None if met and times is None else met)


def added(results: Results, workload: str, case: str, most: float) -> Row:
    found = figure(results, OURS, case, "added_ttft_ms")
    if found is None:
        return Row(workload, f"{most:g} ms", "not measured", None)
    return Row(workload, f"{most:g} ms", f"{found:.2f} ms", found <= most)


def crowd(found: Figures | None) -> list[Row]:
    names = ("5000 slow streams on one worker: served", "their TTFT, median", "peak memory meanwhile")
    targets = (f"all {CROWD_STREAMS}", f"{CROWD_TTFT_MS / 1000:g} s", f"{CROWD_MB} MB")
    if not found:
        return [Row(name, target, "not measured", None) for name, target in zip(names, targets, strict=True)]
    served, first, peak = found["replies"], found["ttft_p50_ms"], found["peak_mb"]
    said = (f"{served:.0f}", f"{first / 1000:.2f} s", f"{peak:.0f} MB")
    met = (served >= CROWD_STREAMS and not found["errors"], first <= CROWD_TTFT_MS, peak <= CROWD_MB)
    return [Row(*each) for each in zip(names, targets, said, met, strict=True)]


def idle(bench: Document | None) -> Row:
    found = (bench or {}).get("memory_mb", {}).get(OURS, {}).get("worker")
    said = "not measured" if found is None else f"{found:.0f} MB"
    return Row(
        "idle memory of a worker (PSS)",
        f"{IDLE_MB} MB",
        said,
        None if found is None else found <= IDLE_MB,
    )


def workers(results: Results) -> list[Row]:
    """Two workers beside one, by case; the throughput is told and not judged: the load shares the processors."""
    found = []
    for case, mine in results.get(TWO, {}).items():
        one = results.get(OURS, {}).get(case, {})
        times, rate = ratio(mine.get("cpu_ms"), one.get("cpu_ms")), ratio(mine.get("rate"), one.get("rate"))
        if times is not None and rate is not None:
            said = f"{times:.2f} x; {rate:.2f} x the throughput"
            name = f"two workers against one, CPU a request: {case.removeprefix('translate ')}"
            found.append(Row(name, f"{WORKERS_RATIO:g} x", said, times <= WORKERS_RATIO))
    return found or [
        Row("two workers against one, CPU a request", f"{WORKERS_RATIO:g} x", "not measured", None)
    ]


def better(peers: Document) -> list[str]:
    """Which peer beats ours in which row; the floor is no rival."""
    results: Results = peers["results"]
    known = peers["gateways"]
    found = []
    for name, cases in results.items():
        if name in {"direct", OURS} or known.get(name, {}).get("floor"):
            continue
        for case, theirs in cases.items():
            for key, said in (("cpu_ms", "CPU a request"), ("ttft_p50_ms", "time to first token")):
                mine = figure(results, OURS, case, key)
                if mine is not None and key in theirs and theirs[key] < mine:
                    failed = f", with {theirs['errors']:.0f} errors" if theirs.get("errors") else ""
                    if not known.get(name, {}).get("counts"):
                        failed += "; it counts no tokens"
                    found.append(
                        f"{name} ({known.get(name, {}).get('language', '?')}) in {case}: {said}, "
                        f"{theirs[key]:.3g} ms beside our {mine:.3g} ms{failed}"
                    )
    return found


def least_lead(peers: Document) -> dict[str, tuple[float, str]]:
    """By key: by how much the best rival is dearer than ours in the row where it comes nearest, and which that is."""
    results: Results = peers["results"]
    found: dict[str, tuple[float, str]] = {}
    for name, cases in results.items():
        if name in {"direct", OURS} or peers["gateways"].get(name, {}).get("floor"):
            continue
        for case, theirs in cases.items():
            for key in ("cpu_ms", "ttft_p50_ms"):
                times = ratio(theirs.get(key), figure(results, OURS, case, key))
                if times is not None and (key not in found or times < found[key][0]):
                    found[key] = (times, f"{name}, {case}")
    return found
