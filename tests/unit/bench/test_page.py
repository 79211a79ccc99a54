from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

PAGE = "Before\n<!-- bench:one -->\nold\n<!-- /bench:one -->\nafter\n"


@pytest.fixture(scope="module")
def page(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("page")


@pytest.fixture(scope="module")
def tables(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("tables")


def document(faults: dict[str, str]) -> dict[str, Any]:
    return {
        "results": {
            "direct": {"small": {"cpu_ms": 0.1}},
            "ccr": {"translate small": {"cpu_ms": 0.5}, "translate big": {"cpu_ms": 1.0}},
            "slow": {"translate small": {"cpu_ms": 2.0}},
        },
        "faults": faults,
    }


def test_only_what_lies_between_the_marks_is_written_anew(page: ModuleType) -> None:
    once = page.replaced(PAGE, "one", "new\n")

    assert once == "Before\n<!-- bench:one -->\n\nnew\n\n<!-- /bench:one -->\nafter\n"
    assert page.replaced(once, "one", "new") == once


def test_a_place_that_the_page_has_not_is_an_error(page: ModuleType) -> None:
    with pytest.raises(KeyError, match="two"):
        page.replaced(PAGE, "two", "new")


def test_the_page_has_a_place_for_every_table(page: ModuleType) -> None:
    assert set(page.places(page.PAGE.read_text())) == {*page.ALONE, *page.BESIDE, "targets", "pairs"}


def test_a_gateway_stands_beside_ours_with_its_ratio(tables: ModuleType) -> None:
    lines = tables.beside(document({}), "cpu_ms", "{:.1f}").splitlines()

    assert lines[0] == "| gateway | translate small | translate big |"
    assert lines[2:] == ["| **ccr** | 0.5 | 1.0 |", "| slow | 2.0 (4.0x) |  |"]


def test_what_fails_is_shown_in_its_place(tables: ModuleType) -> None:
    faults = {"slow: translate small": "closed", "slow: translate big": "closed"}
    lines = tables.beside(document(faults), "cpu_ms", "{:.1f}").splitlines()

    assert lines[3] == "| slow | 2.0 (4.0x) \\* | fails |"
