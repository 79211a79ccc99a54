from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).parents[3] / "bench/run.py"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("gcc") is None, reason="gcc is not there: the benchmark compiles its load"
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmark reads /proc and uses epoll"),
]


def bench(out: Path, *options: str) -> tuple[int, str]:
    command = [sys.executable, str(RUN), "--quick", "--seconds", "0.1", "--out", str(out), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    return done.returncode, done.stdout + done.stderr


EACH_KIND = (
    "translate small",
    "relay big stream",
    "translate small tools stream",
    "translate big cold stream",
    "translate small stream paced",
    "translate small 500/s",
    "translate 200 slow streams",
)


def test_each_kind_of_case_goes_through_the_gateway_without_an_error(tmp_path: Path) -> None:
    chosen = [word for case in EACH_KIND for word in ("--case", case)]
    code, said = bench(tmp_path / "latest.json", *chosen)
    assert code == 0, said

    found = json.loads((tmp_path / "latest.json").read_text())
    assert found["faults"] == {}
    assert set(found["results"]["ccr"]) == set(EACH_KIND)
    assert all(case["errors"] == 0 for case in found["results"]["ccr"].values())
    assert found["results"]["ccr, 2 workers"]["translate small"]["cpu_ms"] > 0
    assert found["memory_mb"]["ccr"]["fresh"] > 0
    assert found["cpu_ms_of_commands"]["ccr --help"] > 0


def test_a_case_that_there_is_not_is_said(tmp_path: Path) -> None:
    code, said = bench(tmp_path / "latest.json", "--case", "nothing of the kind")

    assert code == 1
    assert "translate big cold stream" in said


def test_a_gateway_that_does_not_answer_is_a_fault_and_no_hang(tmp_path: Path) -> None:
    code, said = bench(
        tmp_path / "latest.json", "--no-ours", "--gateway", "dead=http://127.0.0.1:1", "--case", "relay small"
    )

    assert code == 1
    assert "FAULT dead: relay small: connect: Connection refused" in said


def test_every_pair_of_dialects_is_measured(tmp_path: Path) -> None:
    out = tmp_path / "pairs.json"
    command = [sys.executable, str(RUN.with_name("pairs.py")), "--quick", "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr

    found = json.loads(out.read_text())
    assert len(found) == 16
    # The price of an event is a difference of two times, which the neighbours can make less than nothing in a short run.
    assert all(pair["request_us"] > 0 and isinstance(pair["event_us"], float) for pair in found.values())
