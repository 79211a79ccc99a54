from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.config.document import Document

CONFIG = """\
// top
{
  PORT: 3456, // the port
  "Providers": [
    // the first
    { name: 'a', models: ["x", "y"] }, // after a
    /* the second */
    {
      name: "b",
      api_key: "$B_KEY", // secret
      unknown: { keep: true }, // odd
    }
  ],
  Router: { default: "a,x" } // routes
  // the end
}
// after
"""


def comments(text: str) -> list[str]:
    return re.findall(r"//[^\n]*|/\*.*?\*/", text)


def test_positions_of_keys_and_values() -> None:
    document = Document.of(CONFIG)
    assert document.position(("PORT",)) == (3, 9)
    assert document.position(("PORT",), key=True) == (3, 3)
    assert document.position(("Providers", 1, "api_key")) == (10, 16)
    assert document.position(("Providers", 1, "api_key"), key=True) == (10, 7)
    assert document.position(()) == (2, 1)


def test_the_position_of_what_is_missing_is_that_of_what_is_around_it() -> None:
    document = Document.of(CONFIG)
    assert document.position(("Providers", 1, "api_base_url")) == (8, 5)
    assert document.position(("Nothing", "at", "all")) == (2, 1)


def test_all_line_ends_count_alike() -> None:
    assert Document.of("{a: 1,\r\nb: 2,\rc: 3,\nd: 4}").position(("d",), key=True) == (4, 1)


def test_columns_are_characters() -> None:
    assert Document.of("{'🤖é': 1, b: 2}").position(("b",), key=True) == (1, 11)


def test_a_value_is_replaced_and_nothing_else() -> None:
    edited = Document.of(CONFIG).set(("Router", "default"), "b,z").text
    assert edited == CONFIG.replace('"a,x"', '"b,z"')


def test_setting_what_is_there_changes_nothing() -> None:
    document = Document.of(CONFIG)
    assert document.set(("PORT",), 3456).text == CONFIG
    assert document.set(("Providers",), document.plain()["Providers"]).text == CONFIG  # type: ignore[index]  # an object


def test_true_is_not_one() -> None:
    assert Document.of("{a: 1}").set(("a",), True).text == "{a: true}"


def test_a_key_is_added_on_a_line_of_its_own() -> None:
    edited = Document.of(CONFIG).set(("LOG",), False).text
    assert '  Router: { default: "a,x" }, // routes\n  LOG: false\n  // the end\n}' in edited


def test_a_key_is_added_within_one_line() -> None:
    edited = Document.of(CONFIG).set(("Router", "think"), "a,y").text
    assert 'Router: { default: "a,x", think: "a,y" } // routes' in edited


def test_a_trailing_comma_stays_the_habit() -> None:
    edited = Document.of(CONFIG).set(("Providers", 1, "models"), ["m"]).text
    assert 'unknown: { keep: true }, // odd\n      models: ["m"],\n    }' in edited


def test_an_item_is_appended() -> None:
    edited = Document.of(CONFIG).set(("Providers", 2), {"name": "c", "models": []})
    assert edited.node(("Providers", 2, "name")) is not None
    assert comments(edited.text) == comments(CONFIG)
    assert '    },\n    {\n      name: "c",\n      models: []\n    }\n  ],' in edited.text


def test_missing_objects_on_the_way_are_made() -> None:
    assert Document.of("{}").set(("Router", "agents", "Explore"), "a,b").plain() == {
        "Router": {"agents": {"Explore": "a,b"}}
    }
    assert Document.of("{}").set(("Providers", 0, "name"), "a").plain() == {"Providers": [{"name": "a"}]}


def test_the_first_key_of_an_empty_object() -> None:
    assert Document.of("{}\n").set(("PORT",), 1).text == '{\n  "PORT": 1\n}\n'
    assert (
        Document.of("{\n  // nothing yet\n}\n").set(("PORT",), 1).text
        == '{\n  // nothing yet\n  "PORT": 1\n}\n'
    )


def test_a_removed_key_takes_its_line_with_it() -> None:
    edited = Document.of("{\n  a: 1,\n  b: 2,\n  c: 3\n}").remove(("b",))
    assert edited.text == "{\n  a: 1,\n  c: 3\n}"
    assert edited.remove(("c",)).text == "{\n  a: 1\n}"
    assert Document.of("{a: 1, b: 2}").remove(("a",)).text == "{b: 2}"


def test_comments_beside_a_removed_key_stay() -> None:
    edited = Document.of(CONFIG).remove(("PORT",))
    assert "PORT" not in edited.text
    assert comments(edited.text) == comments(CONFIG)


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert Document.of(CONFIG).remove(("Nope", "a")).text == CONFIG
    assert Document.of(CONFIG).remove(("PORT", "a")).text == CONFIG


def test_removing_an_item_keeps_its_neighbours() -> None:
    edited = Document.of(CONFIG).remove(("Providers", 0))
    assert [provider["name"] for provider in edited.plain()["Providers"]] == ["b"]  # type: ignore[index]  # an object
    assert "// secret" in edited.text


def test_merging_a_list_removes_only_what_left() -> None:
    document = Document.of("[1, /* two */ 2, 3, /* four */ 4]")
    assert document.set((), [1, 3, 4]).text.count("/*") == 2
    assert document.set((), [1, 3, 4]).plain() == [1, 3, 4]


def test_merging_an_object_keeps_comments_inside() -> None:
    document = Document.of(CONFIG)
    provider = {"name": "b2", "api_key": "$B_KEY", "models": ["q"]}
    edited = document.set(("Providers", 1), provider)
    assert edited.plain()["Providers"][1] == provider  # type: ignore[index]  # an object
    assert "// secret" in edited.text


@pytest.mark.parametrize("path", [("PORT", "a"), ("Providers", 7), ("Providers", "x"), (0,)])
def test_a_path_to_nowhere_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(KeyError):
        Document.of(CONFIG).set(path, 1)


def test_what_json_cannot_say_is_refused() -> None:
    with pytest.raises(TypeError):
        Document.of(CONFIG).set(("x",), object())


def test_quoting_follows_the_text() -> None:
    assert Document.of("{'a': 'x'}").set(("b",), "it's").text == "{'a': 'x', 'b': 'it\\'s'}"
    assert Document.of('{"a": "x"}').set(("b c",), "y").text == '{"a": "x", "b c": "y"}'
    assert Document.of('{a: "x"}').set(("b-c",), 'q"').text == '{a: "x", "b-c": "q\\""}'


def test_line_ends_and_tabs_follow_the_text() -> None:
    assert (
        Document.of("{\r\n\ta: 1\r\n}").set(("b",), {"c": 2}).text
        == "{\r\n\ta: 1,\r\n\tb: {\r\n\t\tc: 2\r\n\t}\r\n}"
    )


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(st.characters(codec="utf-8"), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
PATHS = st.sampled_from([
    ("PORT",), ("Router", "default"), ("Router", "think"), ("Router", "agents", "Explore"), ("LOG",), ("new key",),
    ("Timeouts", "idleMs"), ("Providers", 0, "models"), ("Providers", 1, "headers"),
])  # fmt: skip


def reference(value: Any, path: tuple[str | int, ...], new: object) -> None:
    for step, following in pairwise(path):
        if isinstance(step, str) and step not in value:
            value[step] = [] if isinstance(following, int) else {}
        value = value[step]
    value[path[-1]] = new


@given(st.lists(st.tuples(PATHS, VALUES, st.booleans()), max_size=6))
def test_random_edits_mean_what_they_say_and_keep_comments_and_unknown_keys(
    changes: list[tuple[tuple[str | int, ...], object, bool]],
) -> None:
    document = Document.of(CONFIG)
    expected: Any = document.plain()
    for path, value, is_removal in changes:
        parent = document.node(path[:-1])
        if parent is not None and not isinstance(parent.plain(), dict):
            continue
        if is_removal:
            document = document.remove(path)
            inner = expected
            for step in path[:-1]:
                inner = inner.get(step, {}) if isinstance(inner, dict) else inner[step]
            inner.pop(path[-1], None)
        else:
            document = document.set(path, value)
            reference(expected, path, value)
        assert document.faults == []
        assert document.plain() == expected
    kept = comments(document.text)
    assert [comment for comment in comments(CONFIG) if comment not in kept] == []
    assert "unknown: { keep: true }" in document.text
    assert '"$B_KEY"' in document.text


@given(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=6), VALUES, max_size=5))
def test_a_document_built_by_edits_reads_back(value: dict[str, object]) -> None:
    document = Document.of("{}")
    for key, item in value.items():
        document = document.set((key,), item)
    assert document.plain() == value
    for key in value:
        document = document.remove((key,))
    assert document.plain() == {}
