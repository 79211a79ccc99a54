from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ccr.adapters.wire.json import top_level
from ccr.adapters.wire.retarget import retarget


def changed(body: bytes, model: str = "new") -> bytes:
    return retarget(body, top_level(body), model)


@pytest.mark.parametrize(
    "body, expected",
    [
        (b'{"model":"old"}', b'{"model":"new"}'),
        (b' { "a" : [1, {"model":"in"}] , "model" : "old" , "b":{} } ', b' { "a" : [1, {"model":"in"}] , "model" : "new" , "b":{} } '),
        (rb'{"\u006dodel":"old","x":"\"model\":\"y\""}', rb'{"\u006dodel":"new","x":"\"model\":\"y\""}'),
        (b'{"model":"a","model":"b"}', b'{"model":"new","model":"new"}'),
        (b'{"model":{"a":"]"},"model":12,"model":1}', b'{"model":"new","model":"new","model":"new"}'),
        (b'{"a":[1,[2]],"a":{"b":"}"},"a":tru' + b'e,"model":"o"}', b'{"a":[1,[2]],"a":{"b":"}"},"a":true,"model":"new"}'),
        (b"{}", b"{}"),
    ],
)  # fmt: skip
def test_only_the_model_changes(body: bytes, expected: bytes) -> None:
    assert changed(body) == expected


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["model", "mod", "messages", "a"]) | st.text(max_size=3)


@given(st.lists(st.tuples(KEYS, VALUES), max_size=6), st.booleans(), st.text(max_size=5))
def test_any_object_with_any_repeated_keys(items: list[tuple[str, object]], spaced: bool, model: str) -> None:
    gap = " \n" if spaced else ""

    def written(replace: bool) -> bytes:
        pairs = [
            f"{json.dumps(key)}{gap}:{gap}"
            + (json.dumps(model, ensure_ascii=False) if replace and key == "model" else json.dumps(value))
            for key, value in items
        ]
        return ("{" + gap + f"{gap},{gap}".join(pairs) + gap + "}").encode()

    assert json.loads(changed(written(False), model)) == json.loads(written(True))
    assert changed(written(False), "x") == changed(changed(written(False), model), "x")
