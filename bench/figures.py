"""Arithmetic over samples: medians of rounds, and what a gateway's figures are beside a direct call's."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

Figures = dict[str, float]
Results = dict[str, dict[str, Figures]]
"""By gateway and by the name of the case. `direct` has cases without a path."""


def medians(samples: Mapping[tuple[str, str], Sequence[Figures]]) -> Results:
    """One set of figures of all the rounds of a gateway and case; rounds that found nothing do not count."""
    found: Results = {}
    for (gateway, case), taken in samples.items():
        full = [sample for sample in taken if sample]
        if full:
            keys = [key for key in full[0] if all(key in sample for sample in full)]
            found.setdefault(gateway, {})[case] = {
                key: round(statistics.median(sample[key] for sample in full), 4) for key in keys
            }
    return found


def compared(results: Results, of_direct: Iterable[tuple[str, str]]) -> None:
    """Add to every figure of a gateway what it is beside the direct call of the same run.

    `of_direct` pairs the name of a case with its name among the direct calls.
    """
    pairs = dict(of_direct)
    direct = results.get("direct", {})
    for gateway, cases in results.items():
        if gateway == "direct":
            continue
        for case, mine in cases.items():
            base = direct.get(pairs.get(case, ""))
            if base is None:
                continue
            if "rate" in mine and base.get("rate"):
                mine["rate_of_direct"] = round(mine["rate"] / base["rate"], 4)
            if "cpu_ms" in mine and base.get("cpu_ms"):
                mine["cpu_of_direct"] = round(mine["cpu_ms"] / base["cpu_ms"], 2)
            if "ttft_p50_ms" in mine and "ttft_p50_ms" in base:
                mine["added_ttft_ms"] = round(mine["ttft_p50_ms"] - base["ttft_p50_ms"], 3)


def figure(results: Results, gateway: str, case: str, key: str) -> float | None:
    return results.get(gateway, {}).get(case, {}).get(key)


def ratio(over: float | None, under: float | None) -> float | None:
    return over / under if over is not None and under else None
