"""A short run of every fuzz target; ``make fuzz`` runs them for longer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fuzz.run import fuzz, has_fuzzer, is_made_for
from tests.support.fuzz.targets import TARGETS
from tests.support.parts import missing

_SECONDS = 5


@pytest.mark.parametrize("name", TARGETS)
def test_where_fuzzing_begins_all_is_well(name: str) -> None:
    seeds = list(TARGETS[name].seeds())
    for seed in seeds:
        for data in (seed, seed[: len(seed) // 2], seed[:-1], b"", b"\xff" + seed):
            TARGETS[name].check(data)

    assert seeds


@pytest.mark.slow
@pytest.mark.parametrize("name", TARGETS)
def test_foreign_bytes_break_no_promise(name: str, tmp_path: Path) -> None:
    if not has_fuzzer():
        if not is_made_for():
            pytest.skip("atheris is not made for this Python on this machine")
        missing("atheris", "run `make install`")
    result = fuzz(name, _SECONDS, tmp_path)

    assert result.code == 0, result.said[-4000:]
    assert result.runs > 10
