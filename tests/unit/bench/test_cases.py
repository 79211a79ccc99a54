from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

import pytest


@pytest.fixture(scope="module")
def cases(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("cases")


def test_every_case_has_a_name_of_its_own(cases: ModuleType) -> None:
    names = [case.name for case in cases.ALL]

    assert len(names) == len(set(names)) == 21


def test_cases_are_chosen_by_patterns(cases: ModuleType) -> None:
    chosen = cases.select(cases.ALL, ["relay big*", "translate small 100/s"])

    assert [case.name for case in chosen] == ["relay big", "relay big stream", "translate small 100/s"]
    assert cases.select(cases.ALL, []) == cases.ALL


def test_a_pattern_that_nothing_matches_is_an_error_that_lists_the_names(cases: ModuleType) -> None:
    with pytest.raises(SystemExit, match="translate 5000 slow streams"):
        cases.select(cases.ALL, ["no such"])


def test_the_targets_and_the_workers_name_cases_that_there_are(
    cases: ModuleType, script: Callable[[str], ModuleType]
) -> None:
    targets = script("targets")
    peers = {case.name for case in cases.PEERS}
    alone = {case.name for case in cases.ALL}

    assert {cost.case for cost in targets.COSTS} <= peers <= alone
    assert {targets.CROWD, *(case for _, case, _ in targets.ADDED)} <= alone
