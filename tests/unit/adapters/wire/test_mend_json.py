from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.mend_json import read_object
from ccr.domain.repair import Fix

TWO = {"a": [1, {"b": "x"}]}


@pytest.mark.parametrize(
    "text,found,fixes",
    [
        ('{"a": 1}', {"a": 1}, ()),
        ('{"a": 1,}', {"a": 1}, (Fix.SYNTAX,)),
        ('```json\n{"a": 1}\n```', {"a": 1}, (Fix.SYNTAX,)),
        ('{}{"a":1}', {"a": 1}, (Fix.SYNTAX,)),
        ('"{\\"a\\": 1}"', {"a": 1}, (Fix.UNWRAPPED,)),
        ("{'a': 'it\\'s \"b\"\\n'}", {"a": 'it\'s "b"\n'}, (Fix.SYNTAX,)),
        ("{a: True, b_2: None, c: -1.5e3}", {"a": True, "b_2": None, "c": -1500.0}, (Fix.SYNTAX,)),
        ("{'a': [1, 2,],}", {"a": [1, 2]}, (Fix.SYNTAX,)),
        ('{"a": [1, {"b": "x"', TWO, (Fix.BRACKETS,)),
        ('{"a": [1, {"b": "x"}]', TWO, (Fix.BRACKETS,)),
        ("{'a': \"x\ty\"", {"a": "x\ty"}, (Fix.SYNTAX, Fix.BRACKETS)),
    ],
)
def test_read(text: str, found: Any, fixes: tuple[Fix, ...]) -> None:
    assert (found, fixes) == read_object(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "cut',
        "{'a': 'cut",
        '{"a": 12',
        '{"a": 1,',
        '{"a":',
        '{"a": [',
        '{"a"',
        '{"a": tru',
        '{"a": 1]',
        "}",
        "[1]",
        "['x'",
        "5",
        "words",
        "{7x: 1}",
        "{'a': 1} {'b': 2}",
    ],
)
def test_nothing_is_guessed(text: str) -> None:
    assert read_object(text) is None


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=9) | st.lists(st.booleans())))
def test_json_is_read_as_it_is(value: dict[str, object]) -> None:
    assert (value, ()) == read_object(json.dumps(value))


@given(st.text(alphabet="{}[]:,'\" \\ab1tfn\n", max_size=30))
def test_anything_is_read_or_refused(text: str) -> None:
    read = read_object(text)
    assert read is None or isinstance(read[0], dict)
