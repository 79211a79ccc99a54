"""ARCHITECTURE.md is true to the tree."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`((?:src|docs|tests)(?:/[\w.-]+)+)`", TEXT)))
PACKAGES = sorted(str(path.parent.relative_to(ROOT)) for path in (ROOT / "src" / "ccr").rglob("__init__.py"))


@pytest.mark.parametrize("name", NAMED)
def test_what_it_names_exists(name: str) -> None:
    assert (ROOT / name).exists()


@pytest.mark.parametrize("package", PACKAGES)
def test_it_names_every_package(package: str) -> None:
    assert package in NAMED


def test_it_names_a_walk() -> None:
    assert len(NAMED) > len(PACKAGES)
