from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.config.json5 import MAX_DEPTH, MAX_TEXT, parse

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**15), 10**15) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


def plain(text: str) -> object:
    node, faults = parse(text)
    assert faults == []
    return node.plain()


def faults_of(text: str) -> list[tuple[int, str]]:
    return [(fault.offset, fault.message) for fault in parse(text)[1]]


@given(JSON)
def test_every_json_text_means_what_json_says(value: object) -> None:
    assert plain(json.dumps(value)) == value
    assert plain(json.dumps(value, ensure_ascii=False, indent=1)) == value


@pytest.mark.parametrize(
    "text, value",
    [
        ("{a: 1, $b_2: 2, 'c d': 3, \"e\": 4,}", {"a": 1, "$b_2": 2, "c d": 3, "e": 4}),
        ("[1, 2,]", [1, 2]),
        ("// x\n/* y\n */ [ ] // z", []),
        ("[.5, 5., +1, -2, 0x1F, -0xa, 1e3, 1E-2]", [0.5, 5.0, 1, -2, 31, -10, 1000.0, 0.01]),
        ("[Infinity, -Infinity, +Infinity]", [math.inf, -math.inf, math.inf]),
        ("'it\\'s \\x41\\u00e9\\n\\0\\v\\q'", "it's Aé\n\0\vq"),
        ("'one \\\n two \\\r\n three'", "one  two  three"),
        ('"\\ud83e\\udd16"', "🤖"),
        ("\ufeff{}", {}),
        ("{a: 1, a: 2}", {"a": 2}),
        (
            "{nullable: null, truely: true, Infinityx: false}",
            {"nullable": None, "truely": True, "Infinityx": False},
        ),
        ("{ünï: 1, \\u0061b: 2}", {"ünï": 1, "ab": 2}),
        ("{true: 1, false: 2}", {"true": 1, "false": 2}),
        ("'\u2028'", "\u2028"),
    ],
)
def test_what_json5_adds(text: str, value: object) -> None:
    assert plain(text) == value


def test_nan_is_a_number() -> None:
    value = plain("NaN")
    assert isinstance(value, float)
    assert math.isnan(value)


@pytest.mark.parametrize(
    "text, offset, message",
    [
        ("", 0, "the file is empty"),
        ("// only a comment", 0, "the file is empty"),
        ("{a: 1 b: 2}", 6, "a comma is missing before 'b'"),
        ("{a: 'x}", 4, "this text is never closed"),
        ("{a: 'x\n'}", 4, "this text is never closed"),
        ("{a: 1", 0, "this { is never closed"),
        ("[1, [2]", 0, "this [ is never closed"),
        ("{a 1}", 3, "the key 'a' is not followed by a colon"),
        ("{a}", 2, "the key 'a' is not followed by a colon"),
        ("{a: }", 4, "a value is missing before '}'"),
        ("{a: deepseek}", 4, "deepseek is not a value"),
        ("{, a: 1}", 1, "a key is missing before ','"),
        ("{1: 2}", 1, "a number cannot be a key"),
        ("[1}", 2, "} closes a ["),
        ("{} {}", 3, "there is something after the end of the configuration"),
        ("/* a", 0, "this comment is never closed"),
        ("[01]", 1, "a number must not begin with 0"),
        ("[1a]", 1, "'1a' is not JSON5"),
        ("['\\x4']", 2, "\\x needs 2 hexadecimal digits"),
        ("['\\1']", 2, "\\1 is not an escape of JSON5"),
        ("'\\ud800'", 0, "half of a surrogate pair is not a character"),
        ("[1 : 2]", 3, "':' is out of place"),
        ("[" + "9" * 500 + "]", 1, "this number has more than 400 characters"),
    ],
)
def test_a_fault_says_where_and_what(text: str, offset: int, message: str) -> None:
    assert (offset, message) in faults_of(text)


def test_several_faults_are_told_at_once() -> None:
    text = "{\n  a: nope,\n  b: 1\n  c: 2,\n  d: 'x\n}"
    assert [offset for offset, _ in faults_of(text)] == [7, 22, 33]


def test_depth_is_bounded() -> None:
    assert faults_of("[" * 100_000)[0] == (0, "this [ is never closed")
    assert (
        any("nested deeper" in message for _, message in faults_of("[" * 100_000)[-30:])
        or MAX_DEPTH < 100_000
    )
    assert plain("[" * MAX_DEPTH + "]" * MAX_DEPTH)


def test_size_is_bounded() -> None:
    assert "million characters" in faults_of(" " * (MAX_TEXT + 1))[0][1]


@given(st.text(alphabet="{}[]:,'\"\\/*ab01.-+\n $\ud800u", max_size=60))
def test_junk_never_raises_and_ends(text: str) -> None:
    node, faults = parse(text)
    assert node.plain() is not None or faults or "null" in text
    assert all(0 <= fault.offset <= len(text) for fault in faults)
