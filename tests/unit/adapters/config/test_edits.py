"""Edits on texts of any shape: comments and blanks wherever JSON5 allows them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.config.document import Document
from ccr.adapters.config.edits import left_out, same

GAPS = st.sampled_from(
    [
        "",
        "",
        " ",
        "\n",
        "\n  ",
        "\r\n",
        "\t",
        "/* c */",
        " // d\n",
        "\n// e\n  ",
        " /* f\n g */ ",
        '\n // "h": "i,j",\n',
        "/*k,*/",
    ]
)
SCALARS = st.sampled_from(["1", "-2.5", "true", "null", "'x // no'", '"/* no */"', "'$VAR'", '""'])
KEYS = st.sampled_from(["a", "'b'", '"c d"', "$e", "'f,'"])


@st.composite
def containers(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    is_object = draw(st.booleans())
    parts = draw(st.lists(st.tuples(KEYS, inner), max_size=3, unique_by=lambda part: part[0]))
    text = "{" if is_object else "["
    for index, (key, item) in enumerate(parts):
        text += ("," if index else "") + draw(GAPS)
        text += key + draw(GAPS) + ":" + draw(GAPS) + item if is_object else item
        text += draw(GAPS)
    has_trailing_comma: bool = draw(st.booleans())
    text += "," + draw(GAPS) if parts and has_trailing_comma else draw(GAPS)
    return text + ("}" if is_object else "]")


TEXTS = st.recursive(SCALARS, containers, max_leaves=8)


def comments(text: str) -> list[str]:
    bare = re.sub(r"'x // no'|\"/\* no \*/\"", "", text)
    return sorted(re.findall(r"//[^\r\n]*|/\*.*?\*/", bare, re.DOTALL))


def without(text: str, document: Document, path: tuple[str | int, ...]) -> list[str]:
    """The comments that do not stand within the value at ``path`` or between its key and it."""
    node = document.node(path)
    parent = document.node(path[:-1])
    assert node is not None
    start = node.start
    if parent is not None and path and isinstance(path[-1], str):
        start = next(member.start for member in parent.members if member.key == path[-1])  # type: ignore[union-attr]  # an object
    inside = comments(text[start : node.end])
    kept = comments(text)
    for comment in inside:
        kept.remove(comment)
    return kept


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in items:
        found += paths(item, (*path, step))
    return found


def at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@given(TEXTS, st.data())
def test_removing_takes_one_value_and_no_comment_around_it(text: str, data: st.DataObject) -> None:
    document = Document.of(text)
    assert document.faults == []
    expected = document.plain()
    path = data.draw(st.sampled_from(paths(expected)))
    if not path:
        return
    kept = without(text, document, path)
    del at(expected, path[:-1])[path[-1]]
    edited = document.remove(path)
    assert (edited.faults, edited.plain()) == ([], expected)
    assert comments(edited.text) == kept


@given(TEXTS, st.data(), st.sampled_from([7, "it's", [1, {"k": "v"}], {}, {"k": [None]}]))
def test_adding_keeps_every_comment(text: str, data: st.DataObject, value: object) -> None:
    document = Document.of(text)
    expected = document.plain()
    path = data.draw(
        st.sampled_from([p for p in paths(expected) if isinstance(at(expected, p), dict | list)] or [()])
    )
    parent = at(expected, path)
    if isinstance(parent, dict):
        parent["new"] = value
        edited = document.set((*path, "new"), value)
    elif isinstance(parent, list):
        edited = document.set((*path, len(parent)), value)
        parent.append(value)
    else:
        return
    assert (edited.faults, edited.plain()) == ([], expected)
    assert comments(edited.text) == comments(text)


@given(TEXTS, st.data(), st.sampled_from([7, "it's", [1, {"k": "v"}], {}]))
def test_replacing_means_what_it_says(text: str, data: st.DataObject, value: object) -> None:
    document = Document.of(text)
    expected = document.plain()
    path = data.draw(st.sampled_from(paths(expected)))
    edited = document.set(path, value)
    assert edited.faults == []
    assert at(edited.plain(), path) == value
    if path:
        at(expected, path[:-1])[path[-1]] = value
        assert edited.plain() == expected


@pytest.mark.parametrize(
    "left, right, equal",
    [(1, True, False), (1, 1.0, False), ({"a": [1]}, {"a": [1]}, True), ([1], [2], False)],
)
def test_equality_is_that_of_json(left: object, right: object, equal: bool) -> None:
    assert same(left, right) is equal


def test_what_left_a_list() -> None:
    assert left_out([1, 2, 3], [1, 3]) == [1]
    assert left_out([1, 2, 3], [3, 1]) is None
