from __future__ import annotations

import pytest

from ccr.application.ports.identity import Presented
from ccr.entrypoints.http.presented import present


@pytest.mark.parametrize(
    "value, token",
    [
        ("Bearer key-1", "key-1"),
        ("bearer   key-1  ", "key-1"),
        ("key-1", "key-1"),
        (" key-1 ", "key-1"),
        ("Basic key-1", "Basic key-1"),
        ("Bearer", ""),
        ("", ""),
        ("Bearer a, Bearer b", "a, Bearer b"),
    ],
)
def test_the_token_of_the_authorization_header(value: str, token: str) -> None:
    assert Presented(token, None) == present({"authorization": value})


def test_both_headers_are_shown() -> None:
    assert Presented("a", "b") == present({"authorization": "Bearer a", "x-api-key": "b"})
    assert Presented(None, None) == present({})


def test_nothing_of_it_is_shown_in_a_message() -> None:
    assert "canary" not in repr(present({"x-api-key": "canary-1"}))
