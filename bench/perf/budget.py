"""Budgets: what each workload may cost, in instructions and in laps of the yardstick, and whether it still does."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from bench.perf.yardstick import YARDSTICK

MARGIN = 0.10
"""A budget is broken above it; below it, there is room that nobody should fill unseen."""
SAME_BUILD = 0.02
"""Where the yardstick moves by less, interpreter and libraries are those of the budget, and instructions may be compared."""
HEAD = """\
# What a request may cost: instructions, and the same in laps of the yardstick (bench/perf/yardstick.py).
# `make perf` fails above +10 %; `make perf UPDATE=1` writes this file. docs/explanation/performance-budget.md says more.
"""


@dataclass(frozen=True)
class Row:
    """One workload: budget and finding in instructions, and the change that is judged, as a fraction.

    ``budget`` None = there is none yet; ``now`` None = the workload is no more.
    """

    name: str
    budget: float | None
    now: float | None
    ratio: float | None = None
    change: float = 0.0

    @property
    def fault(self) -> str:
        """Why `make perf` fails; empty if it need not."""
        if self.budget is None:
            return "no budget yet"
        if self.now is None:
            return "a budget without a workload"
        return "over budget" if self.change > MARGIN else ""

    @property
    def remark(self) -> str:
        """What else there is to say."""
        return "better: lower the budget" if not self.fault and self.change < -MARGIN else ""


def read(text: str) -> dict[str, dict[str, float]]:
    """The tables of the budget file by name."""
    found: dict[str, dict[str, float]] = tomllib.loads(text)
    return found


def write(found: Mapping[str, float]) -> str:
    """The budget file for these instructions; the yardstick's own must be among them."""
    lap = found[YARDSTICK]
    tables = [HEAD]
    for name, instructions in found.items():
        tables.append(
            f"[{name}]\ninstructions = {round_off(instructions)}\nratio = {instructions / lap:.4g}\n"
        )
    return "\n".join(tables)


def round_off(instructions: float) -> int:
    """Four digits: the rest is noise."""
    return int(float(f"{instructions:.4g}"))


def compare(budgets: Mapping[str, Mapping[str, float]], found: Mapping[str, float]) -> list[Row]:
    """A row for each workload, in the order of ``found``, then one for each budget that nobody has.

    The ratio is judged, so that another build of Python needs no new budgets. Where the build is the same the
    instructions are too, and the worse of the two counts: a slower yardstick must not hide a slower gateway.
    """
    lap = found[YARDSTICK]
    before = budgets.get(YARDSTICK, {}).get("instructions", 0.0)
    same_build = before > 0 and abs(lap / before - 1) < SAME_BUILD
    rows = []
    for name, now in found.items():
        if name == YARDSTICK:
            continue
        budget = budgets.get(name)
        if budget is None:
            rows.append(Row(name, None, now, now / lap))
            continue
        changes = [now / lap / budget["ratio"] - 1]
        if same_build:
            changes.append(now / budget["instructions"] - 1)
        rows.append(Row(name, budget["instructions"], now, now / lap, max(changes)))
    gone = [name for name in budgets if name not in found and name != YARDSTICK]
    return rows + [Row(name, budgets[name]["instructions"], None) for name in gone]


def table(rows: list[Row], lap: float, before: float | None) -> str:
    """What `make perf` prints."""
    lines = [f"{'instructions':<28}{'budget':>12}{'now':>12}{'change':>9}{'laps':>8}"]
    for row in rows:
        budget = "-" if row.budget is None else f"{row.budget:,.0f}"
        now = "-" if row.now is None else f"{row.now:,.0f}"
        change = "" if row.budget is None or row.now is None else f"{row.change:+.1%}"
        ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
        said = row.fault.upper() or row.remark
        lines.append(f"{row.name:<28}{budget:>12}{now:>12}{change:>9}{ratio:>8}  {said}".rstrip())
    was = f", {before:,.0f} when the budgets were made" if before else ""
    lines.append(f"a lap of the yardstick is {lap:,.0f} instructions{was}")
    return "\n".join(lines)
