from __future__ import annotations

import xml.etree.ElementTree as ET
from importlib import import_module
from typing import Any

import pytest

flame: Any = import_module("bench.perf.flame")

STACKS = {
    ("asyncio/events.py:1 run", "ccr/application/a.py:1 Walk.go"): 30,
    ("asyncio/events.py:1 run", "ccr/application/a.py:1 Walk.go", "ccr/adapters/wire/b.py:9 read<int>"): 69,
    ("asyncio/events.py:1 run", "ccr/domain/c.py:3 rare"): 1,
}


def test_a_box_has_the_samples_of_what_it_called_and_skipped_files_are_seen_through() -> None:
    root = flame.grown(STACKS, ("asyncio/",))

    walk = root.inner["ccr/application/a.py:1 Walk.go"]
    assert (root.samples, walk.samples, set(root.inner)) == (100, 99, {walk.name, "ccr/domain/c.py:3 rare"})
    assert [box.samples for box in walk.inner.values()] == [69]


def test_a_box_is_as_wide_as_its_share_and_says_its_whole_name() -> None:
    drawn = ET.fromstring(flame.svg(flame.grown(STACKS, ("asyncio/",)), "a < b"))

    space = "{http://www.w3.org/2000/svg}"
    wide = {
        box.findtext(f"{space}title"): float(box.find(f"{space}rect").attrib["width"])  # type: ignore[union-attr]
        for box in drawn.iter(f"{space}g")
    }
    assert wide["ccr/adapters/wire/b.py:9 read<int>: 69.0%"] == pytest.approx(
        0.69 * flame.WIDTH - 0.5, abs=0.05
    )
    assert next(text.text for text in drawn.iter(f"{space}text")) == "a < b"


def test_what_is_too_narrow_to_see_is_left_out() -> None:
    stacks = {("ccr/a.py:1 much",): 999, ("ccr/b.py:1 little",): 1}

    assert "little" not in flame.svg(flame.grown(stacks), "")
