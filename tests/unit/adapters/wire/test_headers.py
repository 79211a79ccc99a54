from __future__ import annotations

import pytest

from ccr.adapters.wire.headers import product, retry_after, retry_seconds, returned


@pytest.mark.parametrize(
    "headers, expected",
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "1e99"}, 366 * 24 * 3600.0),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:30 GMT", "date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT", "date": "Wed, 21 Oct 2026 07:28:30 GMT"}, 0.0),
        ({"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], expected: float | None) -> None:
    assert expected == retry_after(headers)


def test_seconds_to_wait_are_whole_and_rounded_up() -> None:
    assert [retry_seconds(wait) for wait in (0, 0.1, 1.0, 1.5, -3)] == ["0", "1", "1", "2", "0"]


def test_only_rate_limits_that_are_plain_text_go_back() -> None:
    headers = {
        "anthropic-ratelimit-unified-status": "allowed",
        "x-ratelimit-remaining-requests": "5",
        "x-ratelimit-evil": "a\r\nset-cookie: b",
        "set-cookie": "c",
    }

    assert returned(headers) == (
        ("anthropic-ratelimit-unified-status", "allowed"),
        ("x-ratelimit-remaining-requests", "5"),
    )


def test_the_product_of_a_user_agent() -> None:
    assert product("claude-cli/2.1.330 (external, sdk-cli)") == "claude-cli/2.1.330"
    assert product("a" * 100) == "a" * 64
    assert product("\x07") == ""
