"""`make perf`: the comparison with the budgets, the reading of counts, and that the workloads get real replies."""

from __future__ import annotations

import asyncio
import gc
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

budget, driver, run, valgrind, workloads = (
    import_module(f"bench.perf.{name}") for name in ("budget", "gateway", "run", "valgrind", "workloads")
)
LAP = 1000.0
BUDGETS: dict[str, dict[str, float]] = {
    "yardstick": {"instructions": LAP, "ratio": 1.0},
    "small": {"instructions": 2000, "ratio": 2.0},
}


def judged(small: float, lap: float = LAP) -> Any:
    (row,) = budget.compare(BUDGETS, {"yardstick": lap, "small": small})
    return row


# ------------------------------------------------------------------------------------------ the comparison


@pytest.mark.parametrize(
    "now, fault, remark",
    [
        (2000, "", ""),
        (2199, "", ""),
        (2201, "over budget", ""),
        (1801, "", ""),
        (1799, "", "better: lower the budget"),
    ],
)
def test_a_budget_holds_up_to_ten_per_cent_and_a_gain_is_told(now: float, fault: str, remark: str) -> None:
    row = judged(now)

    assert (row.fault, row.remark) == (fault, remark)


def test_with_another_build_of_python_the_ratio_is_judged_alone() -> None:
    assert judged(3000, lap=1500).change == pytest.approx(0)
    assert judged(3400, lap=1500).fault == "over budget"


def test_a_slower_yardstick_of_the_same_build_hides_nothing() -> None:
    row = judged(2230, lap=1015)

    assert budget.MARGIN > 2230 / 1015 / 2 - 1
    assert row.fault == "over budget"


def test_a_quicker_yardstick_of_the_same_build_counts_as_well() -> None:
    assert judged(2180, lap=985).fault == "over budget"


def test_a_workload_without_budget_and_a_budget_without_workload_are_faults() -> None:
    rows = budget.compare(BUDGETS, {"yardstick": LAP, "large": 5000})

    assert {row.name: row.fault for row in rows} == {
        "large": "no budget yet",
        "small": "a budget without a workload",
    }


def test_what_is_written_is_read_and_holds() -> None:
    found = {"yardstick": 957_433.0, "small": 1_948_312.4, "event": 110_449.25}

    rows = budget.compare(budget.read(budget.write(found)), found)

    assert [row.name for row in rows] == ["small", "event"]
    assert all(abs(row.change) < 0.001 and not row.fault and not row.remark for row in rows)


def test_the_table_names_what_is_wrong() -> None:
    rows = budget.compare(BUDGETS, {"yardstick": LAP, "small": 2300, "large": 5000})
    text = budget.table(rows, LAP, LAP)

    assert "2,300   +15.0%     2.3  OVER BUDGET" in text
    assert "NO BUDGET YET" in text


def test_the_budgets_in_the_tree_are_those_of_the_workloads() -> None:
    assert set(budget.read(run.BUDGETS.read_text())) == {"yardstick", *workloads.workloads()}


# --------------------------------------------------------------------------------------------- the counts


def dump(folder: Path, number: int, mark: str, instructions: int) -> None:
    trigger = f"Client Request: {mark}" if mark else "Program termination"
    text = f"version: 1\ncmd: python\n\ndesc: Trigger: {trigger}\n\nevents: Ir\nsummary: {instructions}\n\nfn=x\n"
    (folder / f"counts.{number}").write_text(text)


def test_a_request_costs_the_difference_of_two_rounds_and_an_event_that_of_two_streams(
    tmp_path: Path,
) -> None:
    for number, (mark, instructions) in enumerate(
        {
            "yardstick 0 10": 1500,
            "yardstick 0 20": 2500,
            "relay-small 0 20": 700 + 20 * 30,
            "relay-small 0 40": 700 + 40 * 30,
            "relay-event 0 5": 900 + 5 * (1000 + workloads.LONG * 11),
            "relay-event 0 10": 900 + 10 * (1000 + workloads.LONG * 11),
            "relay-event 1 5": 100 + 5 * (1000 + workloads.SHORT * 11),
            "relay-event 1 10": 100 + 10 * (1000 + workloads.SHORT * 11),
            "": 12345,
        }.items()
    ):
        dump(tmp_path, number, mark, instructions)

    assert valgrind.costs(valgrind.rounds(tmp_path)) == {
        "yardstick": 100,
        "relay-small": 30,
        "relay-event": 11,
    }
    assert valgrind.dump_of(tmp_path, "relay-small").name == "counts.3"


@pytest.mark.parametrize("ci, code, word", [("", 0, "skipped: valgrind"), ("true", 1, "FAILED: valgrind")])
def test_without_valgrind_it_is_skipped_but_not_in_ci(
    ci: str, code: int, word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(valgrind.shutil, "which", {"gcc": "/usr/bin/gcc"}.get)

    assert run.check([], update=False) == code
    assert word in capsys.readouterr().out


# ------------------------------------------------------------------------------------------- the workloads


def test_every_workload_gets_the_whole_reply_that_the_upstream_gave(tmp_path: Path) -> None:
    async def ask_all() -> dict[str, str]:
        faults = {}
        async with driver.gateway(tmp_path) as client:
            for name, workload in workloads.workloads().items():
                for exchange in workload.exchanges:
                    try:
                        await driver.round_of(client, workload, exchange, 2)
                    except RuntimeError as error:
                        faults[name] = str(error)
        return faults

    assert asyncio.run(ask_all()) == {}
    lines = next((tmp_path / "ccr/logs").glob("ccr-*.log")).read_text()
    assert lines.count('"event":"request"') == 2 * sum(
        len(workload.exchanges)
        for name, workload in workloads.workloads().items()
        if not name.startswith("count")
    )


def test_a_reply_that_is_not_the_upstreams_is_noticed(tmp_path: Path) -> None:
    found = workloads.workloads()

    async def ask(name: str, **broken: Any) -> None:
        workload = found[name]
        exchange = workloads.Exchange(**(vars(workload.exchange) | broken))
        async with driver.gateway(tmp_path) as client:
            await driver.round_of(client, workload, exchange, 1)

    whole = found["relay-small-stream"].exchange.reply[0]
    with pytest.raises(RuntimeError, match="/v1/messages: 200"):
        asyncio.run(ask("relay-small-stream", reply=(whole.replace(b"END-OF-REPLY", b"NOT-OF-REPLY"),)))
    (tmp_path / "ccr/config.json").unlink()
    (tmp_path / "ccr").rename(tmp_path / "first")
    refused = b"HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    with pytest.raises(RuntimeError, match="/v1/messages: 400"):
        asyncio.run(ask("translate-small", reply=(refused,)))


@pytest.mark.parametrize("path", ["translate", "relay"])
def test_paced_events_leave_one_by_one_and_a_start_leaves_the_first(path: str, tmp_path: Path) -> None:
    found = workloads.workloads()

    async def ask() -> tuple[list[bytes], list[bytes]]:
        async with driver.gateway(tmp_path) as client:
            paced = client.prepare(found[f"{path}-event"].exchange, 1)
            await client.run(paced)
            started = client.prepare(found[f"{path}-start"].exchange, 1)
            await client.run(started, to_first_event=True)
            first = list(started[0].parts)
            await client.finish(started)
            started[0].check(found[f"{path}-start"].exchange)
        return paced[0].parts, first

    paced, first = asyncio.run(ask())
    texts = [part.count(b'"text_delta"') for part in paced]

    assert texts.count(1) == workloads.LONG
    assert set(texts) <= {0, 1}
    assert [part.count(b'"text_delta"') for part in first] == [1]


def test_requests_differ_in_their_newest_turn_only() -> None:
    one, two = workloads.workloads()["relay-big"].exchange.bodies(2, first=98)

    assert one != two
    assert one.replace(b"0000098", b"") == two.replace(b"0000099", b"")


def test_the_process_is_as_it_was_when_the_gateway_is_closed(tmp_path: Path) -> None:
    async def visit() -> int:
        async with driver.gateway(tmp_path):
            return gc.get_freeze_count()

    before = dict(os.environ), gc.get_threshold()

    assert asyncio.run(visit()) > 0
    assert (dict(os.environ), gc.get_threshold()) == before
    assert gc.get_freeze_count() == 0
