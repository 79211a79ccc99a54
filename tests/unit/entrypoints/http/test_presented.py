from __future__ import annotations

import pytest

from ccr.entrypoints.http.presented import present


@pytest.mark.parametrize(
    "headers, bearer, api_key",
    [
        ({}, None, None),
        ({"x-api-key": "k"}, None, "k"),
        ({"authorization": "Bearer t"}, "t", None),
        ({"authorization": "BEARER  t "}, "t", None),
        ({"authorization": "t"}, "t", None),
        ({"authorization": "Basic dDp0"}, "Basic dDp0", None),
        ({"authorization": ""}, "", None),
        ({"authorization": "Bearer"}, "", None),
        ({"authorization": "Bearer t", "x-api-key": "k"}, "t", "k"),
    ],
)
def test_both_ways_to_show_a_credential_are_read(
    headers: dict[str, str], bearer: str | None, api_key: str | None
) -> None:
    shown = present(headers)

    assert (bearer, api_key) == (shown.bearer, shown.api_key)


@pytest.mark.parametrize(
    "headers, query, api_key",
    [
        ({"x-goog-api-key": "g"}, b"", "g"),
        ({"x-api-key": "k", "x-goog-api-key": "g"}, b"key=q", "k"),
        ({}, b"alt=sse&key=q%2Fr", "q/r"),
        ({}, b"monkey=q", None),
        ({}, b"alt=sse", None),
    ],
)
def test_a_key_comes_where_gemini_s_clients_put_it(
    headers: dict[str, str], query: bytes, api_key: str | None
) -> None:
    assert present(headers, query).api_key == api_key


def test_a_credential_is_never_printed() -> None:
    assert "secret" not in repr(present({"x-api-key": "secret", "authorization": "Bearer secret"}))
