"""Contents of usual shapes are read in one decode, and mean what the reader of all shapes finds in them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.dialects.gemini.read_contents import _read_any, read_turn
from ccr.adapters.dialects.gemini.read_usual import SEPARATOR, read_usual
from ccr.adapters.dialects.gemini.seals import CALL, DUMMY, HOME, TEXT, THOUGHT
from ccr.domain.conversation import Role, Text, Thinking, ToolCall, ToolResult
from ccr.domain.errors import InvalidRequestError
from ccr.domain.provenance import Seal
from ccr.domain.verbatim import Json

_WORDS = st.text(max_size=8)
_MAYBE = st.none() | _WORDS
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | _WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_WORDS, inner, max_size=2),
    max_leaves=5,
)
_OBJECTS = (
    st.dictionaries(_WORDS, _VALUES, max_size=3)
    | st.fixed_dictionaries({"output": _VALUES})
    | st.fixed_dictionaries({"error": _VALUES})
)


def _some(
    required: dict[str, st.SearchStrategy[object]], **optional: st.SearchStrategy[object]
) -> st.SearchStrategy[dict[str, object]]:
    return st.fixed_dictionaries(required, optional=optional)


_SIGNATURE = st.none() | st.sampled_from(["", "c2ln", DUMMY])
_PARTS = (
    _some({"text": _WORDS}, thought=st.none() | st.booleans(), thoughtSignature=_SIGNATURE)
    | _some(
        {"functionCall": _some({"name": st.text(min_size=1, max_size=8)}, id=_MAYBE, args=_OBJECTS)},
        thoughtSignature=_SIGNATURE,
    )
    | _some({"functionResponse": _some({"response": _OBJECTS}, name=_MAYBE, id=_MAYBE)})
)
_CONTENTS = _some({"parts": st.lists(_PARTS, max_size=4)}, role=_MAYBE)


def _raw(value: object) -> bytes:
    return json.dumps(value).encode()


@given(_CONTENTS)
def test_a_usual_content_means_what_the_reader_of_all_shapes_finds(content: dict[str, object]) -> None:
    raw = _raw(content)
    assert read_usual(raw) == _read_any(raw)


def test_what_a_usual_content_says() -> None:
    raw = _raw(
        {
            "role": "model",
            "parts": [
                {"text": "Hm.", "thought": True, "thoughtSignature": "c2ln"},
                {"text": "", "thought": True},
                {"text": "Read it.", "thoughtSignature": "dGV4dA=="},
                {"text": ""},
                {
                    "functionCall": {"id": "c1", "name": "Read", "args": {"p": 1}},
                    "thoughtSignature": "Y2FsbA==",
                },
                {"functionCall": {"name": "List"}, "thoughtSignature": DUMMY},
                {"functionResponse": {"id": "c1", "name": "Read", "response": {"output": "text"}}},
                {"functionResponse": {"name": "List", "response": {"error": {"code": 5}}}},
                {"functionResponse": {"response": {}}},
            ],
        }
    )
    assert read_usual(raw) == (
        "model",
        [
            Thinking("Hm.", Seal(HOME, THOUGHT, "c2ln")),
            Text("Read it."),
            Thinking("", Seal(HOME, TEXT, "dGV4dA==")),
            ToolCall("c1", "Read", Json(b'{"p": 1}'), seal=Seal(HOME, CALL, "Y2FsbA==")),
            ToolCall("", "List"),
            ToolResult(f"c1{SEPARATOR}Read", (Text("text"),), plain=True),
            ToolResult(f"{SEPARATOR}List", (Text('{"code":5}'),), is_error=True, plain=True),
            ToolResult(SEPARATOR, (), plain=True),
        ],
    )


@pytest.mark.parametrize(
    "part",
    [
        {},
        {"text": "a", "functionCall": {"name": "f"}},
        {"text": "a", "videoMetadata": {}},
        {"text": 5},
        {"thoughtSignature": "c2ln"},
        {"function_call": {"name": "f"}},
        {"functionCall": {"name": ""}},
        {"functionCall": {"name": "f", "args": []}},
        {"functionResponse": {"response": "text"}},
        {"functionResponse": {"response": {}}, "thoughtSignature": "c2ln"},
        {"functionResponse": {"response": {}, "parts": []}},
        {"inlineData": {"mimeType": "image/png", "data": "QQ=="}},
    ],
)
def test_whatever_is_not_usual_is_left_to_the_reader_of_all_shapes(part: dict[str, object]) -> None:
    assert read_usual(_raw({"parts": [{"text": "before"}, part]})) is None


def test_a_content_that_is_nested_too_deep_is_not_usual() -> None:
    deep = b'{"parts":[{"functionCall":{"name":"f","args":' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}}]}"
    assert read_usual(deep) is None


def test_a_role_in_capitals_is_one_of_both() -> None:
    assert read_turn(_raw({"role": "MODEL", "parts": [{"text": "a"}]})).role is Role.ASSISTANT
    with pytest.raises(InvalidRequestError, match="role: must be user or model, not 'tool'"):
        read_turn(_raw({"role": "Tool", "parts": [{"text": "a"}]}))
