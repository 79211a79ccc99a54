from __future__ import annotations

from types import MappingProxyType
from typing import Any, cast

import pytest

from ccr.adapters.routing.view import RequestView, frozen_json
from ccr.application.counting import Counting
from tests.support.routing import FakeCounter, FakeParsed, call, facts, session

pytestmark = pytest.mark.anyio

BODY = b'{"model": "opus", "messages": [{"role": "user", "content": "hi"}]}'
PARTS = (
    b'{"messages": [3, {"role": "assistant"}, {"role": "user", "content": [{"type": "text", "text": "a"}, '
    b'{"type": "image"}, 4, {"type": "text", "text": "b"}]}]}'
)


def view(body: bytes = BODY) -> RequestView:
    parsed = FakeParsed(facts("opus", text_size=400, session=session("s1")), user="explain this code")
    return RequestView(call(body, x_app="cli", authorization="Bearer k"), parsed, Counting(FakeCounter(7)))


async def test_shows_the_request() -> None:
    seen = view()
    assert (seen.model, seen.session_id, seen.token_count, seen.facts.model) == ("opus", "s1", 100, "opus")
    assert cast("Any", seen.body)["messages"][0]["content"] == "hi"
    assert seen.user_text == "hi"
    assert await seen.count_tokens() == 7


async def test_without_a_counter_the_estimate_is_the_count() -> None:
    assert await RequestView(call(), FakeParsed(facts(text_size=8))).count_tokens() == 2


@pytest.mark.parametrize(
    "body, expected",
    [(PARTS, "a\nb"), (b"", "explain this code"), (b'{"messages": 1}', ""), (b'{"messages": []}', "")],
)
async def test_finds_the_first_words_of_the_user(body: bytes, expected: str) -> None:
    assert view(body).user_text == expected


async def test_never_shows_credentials() -> None:
    assert view().headers == {"x-app": "cli"}


async def test_nothing_can_be_changed() -> None:
    seen = view()
    with pytest.raises(AttributeError, match="read-only"):
        seen.model = "other"  # type: ignore[misc]  # that is the point
    with pytest.raises(TypeError):
        cast("Any", seen.body)["model"] = "other"
    assert isinstance(cast("Any", seen.body)["messages"], tuple)


async def test_a_conversation_without_bytes_has_an_empty_body() -> None:
    assert view(b"").body == {}


def test_freezes_all_the_way_down() -> None:
    frozen = frozen_json({"a": [1, {"b": None}]})
    assert frozen == {"a": (1, {"b": None})}
    assert isinstance(cast("Any", frozen)["a"][1], MappingProxyType)
