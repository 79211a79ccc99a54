"""Every test that the page of faults names is there, and every fault that it names."""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

import pytest

from tests.support.faulty import network, protocol
from tests.support.faulty.catalogue import FAULTS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "faults.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`((?:unit|integration)/[\w/]+\.py(?:::\w+)?)`", PAGE)))
PATTERNS = sorted(
    {name for cell in re.findall(r"table \(([^)]*)\)", PAGE) for name in re.findall(r"`([^`]+)`", cell)}
)
ACTED = (network, protocol)
"""Imported for what they put into the catalogue."""


@pytest.mark.parametrize("named", NAMED)
def test_a_test_that_is_named_is_there(named: str) -> None:
    file, _, name = named.partition("::")
    path = ROOT / "tests" / file

    assert path.is_file()
    assert not name or re.search(rf"^(?:async )?def {name}\b", path.read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_fault_that_is_named_is_there(pattern: str) -> None:
    assert fnmatch.filter(FAULTS, pattern)


def test_the_page_is_read() -> None:
    assert len(NAMED) > 50
    assert len(PATTERNS) > 40
