"""The figures of one run as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

COLUMNS = [
    ("CPU ms", "cpu_ms", "{:.3f}"),
    ("x direct", "cpu_of_direct", "{:.1f}"),
    ("us/event", "cpu_us_per_event", "{:.1f}"),
    ("req/s", "rate", "{:.0f}"),
    ("of direct", "rate_of_direct", "{:.1%}"),
    ("TTFT p50 ms", "ttft_p50_ms", "{:.2f}"),
    ("p99", "ttft_p99_ms", "{:.2f}"),
    ("added", "added_ttft_ms", "{:+.2f}"),
    ("total p50 ms", "total_p50_ms", "{:.2f}"),
    ("p99", "total_p99_ms", "{:.2f}"),
    ("peak MB", "peak_mb", "{:.0f}"),
    ("errors", "errors", "{:.0f}"),
]


def text(document: dict[str, Any], order: Iterable[str]) -> str:
    results = document["results"]
    rows = [["", "", *(title for title, _, _ in COLUMNS)]]
    rows += [row(case, "direct", figures) for case, figures in results.get("direct", {}).items()]
    for case in order:
        rows += [
            row(case, name, cases[case])
            for name, cases in results.items()
            if name != "direct" and case in cases
        ]
    machine = document["machine"]
    rounds = f"medians of {document['rounds']} rounds of {document['seconds']} s"
    parts = [
        f"{machine['cores']} cores, Python {machine['python']}, {rounds}",
        table(rows),
        "direct: CPU of load and mock together; x direct: the gateway's CPU beside it.",
        "TTFT: one request at a time; of fixed rates and crowds that of all, counted from when a request was due.",
    ]
    for name, figures in document.get("memory_mb", {}).items():
        parts.append(
            f"memory of {name}, PSS in MB: " + ", ".join(f"{when} {size}" for when, size in figures.items())
        )
    if costs := document.get("cpu_ms_of_commands"):
        parts.append("CPU ms: " + ", ".join(f"{name} {cost}" for name, cost in costs.items()))
    parts += [f"FAULT {where}: {what}" for where, what in document["faults"].items()]
    return "\n".join(parts)


def row(case: str, name: str, figures: dict[str, float]) -> list[str]:
    return [case, name, *(form.format(figures[key]) if key in figures else "" for _, key, form in COLUMNS)]


def table(rows: list[list[str]]) -> str:
    used = [n for n in range(len(rows[0])) if any(row[n] for row in rows[1:])]
    width = {n: max(len(row[n]) for row in rows) for n in used}
    return "\n".join(
        "  ".join(row[n].ljust(width[n]) if n < 2 else row[n].rjust(width[n]) for n in used) for row in rows
    )
