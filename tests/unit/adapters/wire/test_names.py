from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.names import long_names, short_name


def test_a_legal_name_stays() -> None:
    assert short_name("mcp__files__read-1") == "mcp__files__read-1"
    assert long_names(["Read"]) == {}


@given(st.text())
def test_every_name_becomes_legal_and_finds_its_way_back(name: str) -> None:
    short = short_name(name)

    assert 0 < len(short) <= 64
    assert short.isascii()
    assert short_name(short) == short
    assert long_names([name]).get(short, short) == name


def test_long_names_with_one_beginning_stay_apart() -> None:
    names = ["x" * 70 + end for end in "ab"]

    assert len(long_names(names)) == 2
