from __future__ import annotations

import pytest

from ccr.adapters.dialects.anthropic.wire import BLOCKS, STRING
from ccr.adapters.wire.complaint import checked, elements, invalid, prefixed
from ccr.domain.errors import InvalidRequestError


@pytest.mark.parametrize(
    "data, param, message",
    [
        (b'[{"text":1}]', "content[0].text", "content[0].text: Expected str, got int"),
        (b"{}", "content", "content: Expected array, got object"),
        (b"[", "content", "content: not valid JSON"),
        (b'[{"citations":' + b"[" * 100_000, "content", "content: nested too deep"),
    ],
)
def test_a_complaint_names_the_path(data: bytes, param: str, message: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        checked(BLOCKS, data, "content")

    assert (caught.value.param, caught.value.message) == (param, message)


def test_what_is_right_comes_back() -> None:
    assert checked(STRING, b'"x"', "") == "x"
    assert [bytes(raw) for raw in elements(b"[1, 2]", "")] == [b"1", b"2"]


def test_the_path_grows_on_the_way_up() -> None:
    assert prefixed(invalid("a", "bad"), "m[1]").message == "m[1].a: bad"
    assert prefixed(invalid("[2].a", "bad"), "tools").param == "tools[2].a"
    assert prefixed(invalid("", "bad"), "m").message == "m: bad"
    assert invalid("", "bad").param is None
