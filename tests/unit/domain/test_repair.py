from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.domain.repair import Fix, mend, nearest_name
from ccr.domain.schema import accepts

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "file_path": {"type": "string"},
        "limit": {"type": "integer"},
        "all": {"type": "boolean"},
        "mode": {"enum": ["a", "b"]},
        "edits": {"type": "array", "items": {"type": "object", "properties": {"n": {"type": "number"}}}},
        "options": {"type": "object"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "required": ["file_path"],
    "additionalProperties": False,
}
PATH = {"file_path": "/x"}


def decode(text: str) -> object:
    return msgspec.json.decode(text)


@pytest.mark.parametrize(
    "given_,mended,fixes",
    [
        ({**PATH, "limit": "5"}, {**PATH, "limit": 5}, [(Fix.COERCED, "limit")]),
        ({**PATH, "all": "True"}, {**PATH, "all": True}, [(Fix.COERCED, "all")]),
        ({**PATH, "either": "7"}, {**PATH, "either": 7}, [(Fix.COERCED, "either")]),
        ({"file_path": 12}, {"file_path": "12"}, [(Fix.COERCED, "file_path")]),
        ({"file_path": False}, {"file_path": "false"}, [(Fix.COERCED, "file_path")]),
        ({**PATH, "limit": None}, PATH, [(Fix.DROPPED, "limit")]),
        ({**PATH, "mode": ""}, PATH, [(Fix.DROPPED, "mode")]),
        ({"filePath": "/x"}, PATH, [(Fix.NAME, "file_path")]),
        ({"FILE_PATH": 1}, {"file_path": "1"}, [(Fix.NAME, "file_path"), (Fix.COERCED, "file_path")]),
        (
            {**PATH, "edits": '[{"n": "1.5"}]'},
            {**PATH, "edits": [{"n": 1.5}]},
            [(Fix.UNWRAPPED, "edits"), (Fix.COERCED, "edits.0.n")],
        ),
        ({**PATH, "options": "{}"}, {**PATH, "options": {}}, [(Fix.UNWRAPPED, "options")]),
    ],
)
def test_mended(given_: Any, mended: Any, fixes: list[tuple[Fix, str]]) -> None:
    assert (mended, tuple(fixes)) == mend(given_, SCHEMA, decode)


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"file_path": None},
        {"file_path": []},
        {**PATH, "limit": "five"},
        {**PATH, "limit": "5.5"},
        {**PATH, "limit": "9" * 40},
        {**PATH, "all": "maybe"},
        {**PATH, "edits": "[broken"},
        {**PATH, "mode": "c"},
        {**PATH, "mode": None, "unknown": 1},
        {**PATH, "filePath": "/y"},
        {"filepath": "/x", "filePath": "/y"},
        {**PATH, "either": "x"},
    ],
)
def test_what_cannot_be_mended_stays_the_very_same(given_: Any) -> None:
    found, fixes = mend(given_, SCHEMA, decode)

    assert found is given_
    assert fixes == ()


def test_a_schema_without_properties_is_no_obstacle() -> None:
    assert mend({"a": 1}, {"type": "object", "required": ["b"]}, decode) == ({"a": 1}, ())
    assert mend({"a": 1}, {"type": "array", "properties": 5}, decode) == ({"a": 1}, ())


def test_what_fits_stays_the_very_same() -> None:
    found, fixes = mend(PATH, SCHEMA, decode)
    assert found is PATH
    assert fixes == ()


def test_nearest_name() -> None:
    assert nearest_name("todowrite", ["TodoWrite", "Read"]) == "TodoWrite"
    assert nearest_name("web-search", ["web_search"]) == "web_search"
    assert nearest_name("read", ["Read", "READ"]) is None
    assert nearest_name("zzz", ["Read"]) is None


SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "true", "5", "[]", "a"])
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["n", "N", "x"]), inner),
    max_leaves=6,
)
GIVEN = st.dictionaries(st.sampled_from([*SCHEMA["properties"], "filePath", "LIMIT", "other"]), VALUES)


@given(GIVEN)
def test_what_fits_is_left_alone_and_what_is_mended_fits(value: dict[str, object]) -> None:
    found, fixes = mend(value, SCHEMA, decode)

    assert (found is value) == (not fixes)
    if accepts(SCHEMA, value):
        assert found is value
    if fixes:
        assert accepts(SCHEMA, found)
        assert mend(found, SCHEMA, decode) == (found, ())
