"""The tables of the documentation, made of the results of runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import targets
from figures import Figures, Results, figure, ratio
from targets import ANCESTOR, OURS, TWO, Document, Row


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, ["---"] * len(head), *rows))


def number(value: float | None, form: str = "{:.2f}") -> str:
    return "" if value is None else form.format(value)


def source(document: Document) -> str:
    """Which run it was."""
    machine = document["machine"]
    return (
        f"{document['when'][:10]}, {machine['cores']} cores, Python {machine['python']}, medians of {document['rounds']} rounds of "
        f"{document['seconds']:g} s; load average before the run {machine['load_average']}."
    )


def closed(document: Document) -> str:
    """What is offered by busy connections, ours alone."""
    cases: dict[str, Figures] = document["results"].get(OURS, {})
    rows = [
        (
            case,
            number(found.get("cpu_ms"), "{:.3f}"),
            number(found.get("cpu_of_direct"), "{:.0f}"),
            number(found.get("rate"), "{:.0f}"),
            number(found.get("ttft_p50_ms")),
            number(found.get("ttft_p99_ms")),
            number(found.get("added_ttft_ms")),
        )
        for case, found in cases.items()
        if "total_p50_ms" not in found and "peak_mb" not in found and "cpu_us_per_event" not in found
    ]
    head = ("case", "CPU ms a request", "x direct", "req/s", "TTFT ms, median", "p99", "added")
    return f"{markdown(head, rows)}\n\n{source(document)}"


def paced(document: Document) -> str:
    results: Results = document["results"]
    rows = [
        (case, number(found["cpu_us_per_event"], "{:.1f}"), number(found["cpu_ms"], "{:.2f}"))
        for case, found in results.get(OURS, {}).items()
        if "cpu_us_per_event" in found and "peak_mb" not in found
    ]
    direct = figure(results, "direct", "small stream paced", "cpu_us_per_event")
    rows.append(("direct", number(direct, "{:.1f}"), ""))
    return markdown(("64 streams, one event every 5 ms", "CPU us an event", "CPU ms a stream"), rows)


def rates(document: Document) -> str:
    rows = [
        (
            case,
            number(found["rate"], "{:.0f}"),
            *(number(found[key]) for key in ("ttft_p50_ms", "ttft_p99_ms", "total_p50_ms", "total_p99_ms")),
            number(found.get("cpu_ms"), "{:.3f}"),
        )
        for case, found in document["results"].get(OURS, {}).items()
        if "total_p50_ms" in found
    ]
    head = (
        "offered",
        "answered a second",
        "TTFT ms, median",
        "p99",
        "whole reply ms, median",
        "p99",
        "CPU ms a request",
    )
    return markdown(head, rows)


def crowds(document: Document) -> str:
    rows = [
        (
            case.removeprefix("translate "),
            number(found["replies"], "{:.0f}"),
            number(found["errors"], "{:.0f}"),
            *(number(found[key], "{:.0f}") for key in ("ttft_p50_ms", "ttft_p99_ms", "peak_mb")),
            number(found.get("cpu_ms")),
        )
        for case, found in document["results"].get(OURS, {}).items()
        if "peak_mb" in found
    ]
    head = (
        "at once, one worker",
        "served",
        "not",
        "TTFT ms, median",
        "p99",
        "peak PSS MB",
        "CPU ms a stream",
    )
    return markdown(head, rows)


def workers(document: Document) -> str:
    results: Results = document["results"]
    rows = []
    for case, two in results.get(TWO, {}).items():
        one = results.get(OURS, {}).get(case, {})
        rows.append(
            (
                case,
                number(one.get("cpu_ms"), "{:.3f}"),
                number(two.get("cpu_ms"), "{:.3f}"),
                number(ratio(two.get("cpu_ms"), one.get("cpu_ms"))),
                number(one.get("rate"), "{:.0f}"),
                number(two.get("rate"), "{:.0f}"),
            )
        )
    return markdown(("case", "CPU ms, one worker", "two", "ratio", "req/s, one worker", "two"), rows)


def rest(document: Document) -> str:
    """Memory and start-up, as sentences."""
    memory, costs = document["memory_mb"][OURS], document["cpu_ms_of_commands"]
    said = ", ".join(f"`{name}` {cost:.0f}" for name, cost in costs.items())
    return (
        f"Memory of one worker and its parent (PSS): {memory['fresh']:.0f} MB fresh ({memory['worker']:.0f} MB the worker), {memory['after load']:.0f} MB after the load. "
        f"CPU time in ms: {said}."
    )


def beside_ours(times: float) -> str:
    return f"{times:.1f}x" if times >= 1 else f"{times:.2g}x"


def beside(document: Document, key: str, form: str) -> str:
    """A row a gateway, a column a case; in parentheses the ratio to ours."""
    results: Results = document["results"]
    cases = [case for case in results.get(OURS, {}) if key in results[OURS][case]]
    rows = []
    for name, found in results.items():
        if name == "direct":
            continue
        cells = []
        for case in cases:
            theirs, mine = found.get(case, {}), results[OURS][case][key]
            failed = f"{name}: {case}" in document["faults"]
            if key not in theirs:
                cells.append("fails" if failed else "")
                continue
            times = "" if name == OURS else f" ({beside_ours(theirs[key] / mine)})"
            cells.append(form.format(theirs[key]) + times + (" \\*" if failed else ""))
        rows.append((f"**{name}**" if name == OURS else name, *cells))
    return markdown(("gateway", *cases), rows)


def peers_cpu(document: Document) -> str:
    paced_case = "translate small stream paced"
    events = markdown(
        ("paced stream", "CPU us an event"),
        [
            (
                name,
                number(found[paced_case].get("cpu_us_per_event"), "{:.0f}")
                + (" \\*" if f"{name}: {paced_case}" in document["faults"] else ""),
            )
            for name, found in document["results"].items()
            if paced_case in found
        ],
    )
    return f"{beside(document, 'cpu_ms', '{:.3g}')}\n\n{events}\n\n\\* some requests failed, see below. {source(document)}"


def peers_ttft(document: Document) -> str:
    return (
        f"Median:\n\n{beside(document, 'ttft_p50_ms', '{:.2f}')}\n\n"
        f"99th percentile:\n\n{beside(document, 'ttft_p99_ms', '{:.2f}')}"
    )


def peers_facts(document: Document) -> str:
    """Versions, memory, caveats, what failed, and who is not there."""
    known: dict[str, Any] = document["gateways"]
    rows = [
        (
            name,
            found.get("version", "this one"),
            {"npm": "npm", "pip": "PyPI", "deb": "Debian"}.get(found.get("from", ""), ""),
            found.get("language", "Python"),
            number(found.get("fresh_mb"), "{:.0f}"),
            number(found.get("after_mb"), "{:.0f}"),
            " ".join(
                [found.get("caveats", ""), *(f"{each.capitalize()}." for each in found.get("deaths", []))]
            ).strip(),
        )
        for name, found in known.items()
    ]
    table = markdown(
        ("gateway", "version", "from", "language", "PSS MB fresh", "after", "what to know"), rows
    )
    faults = [f"- {where}: {what}" for where, what in document["faults"].items()]
    absent = [f"- {name}: {why}" for name, why in document["absent"].items()]
    parts = [table]
    if faults:
        parts += ["What failed (the first of its kind in each case):", "\n".join(faults)]
    if absent:
        parts += ["Not measured:", "\n".join(absent)]
    return "\n\n".join(parts)


def verdict(document: Document) -> str:
    results: Results = document["results"]
    beaten = targets.better(document)
    lead = targets.least_lead(document)
    if beaten:
        head = "Better than ccr in this run:\n\n" + "\n".join(f"- {each}" for each in beaten)
    else:
        nearest = " ".join(
            f"Nearest in {said}: {lead[key][1]} ({lead[key][0]:.1f} x ours)."
            for key, said in (("cpu_ms", "CPU"), ("ttft_p50_ms", "time to first token"))
            if key in lead
        )
        head = f"No gateway but nginx is better than ccr in any row of CPU or time to first token. {nearest}"
    floor = ", ".join(
        f"{case} {times:.1f}"
        for case in results.get("nginx", {})
        if (times := ratio(figure(results, OURS, case, "cpu_ms"), figure(results, "nginx", case, "cpu_ms")))
    )
    ancestor = ", ".join(
        f"{case} {times:.1f}"
        for case in results.get(ANCESTOR, {})
        if (times := ratio(figure(results, ANCESTOR, case, "cpu_ms"), figure(results, OURS, case, "cpu_ms")))
    )
    parts = [head]
    if floor:
        parts.append(f"CPU beside nginx, the floor (ours over its): {floor}.")
    if ancestor:
        parts.append(f"CPU of the ancestor 2.0.0 over ours: {ancestor}.")
    return "\n\n".join(parts)


def promised(rows: list[Row]) -> str:
    words = {True: "met", False: "**not met**", None: "-"}
    head = ("workload", "target", "measured", "")
    return markdown(head, [(row.workload, row.target, row.measured, words[row.met]) for row in rows])
