from __future__ import annotations

import pytest

from ccr.adapters.credentials.keys import static_key
from ccr.application.ports.upstream import UpstreamRequest
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio
REQUEST = UpstreamRequest("POST", "https://api.test/v1/messages", (("accept", "*/*"),), b"{}")


@pytest.mark.parametrize(
    "kind, header",
    [("bearer", ("authorization", "Bearer canary-1")), ("x-api-key", ("x-api-key", "canary-1"))],
)
async def test_the_first_key_goes_into_the_header_of_its_kind(kind: str, header: tuple[str, str]) -> None:
    source = static_key(kind, [Secret("canary-1"), Secret("canary-2")])

    assert (("accept", "*/*"), header) == (await source.authorize(REQUEST)).headers
    assert source.secrets() == ("canary-1",)


@pytest.mark.parametrize(
    "kind, text, header",
    [
        ("api-key", "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln-_", "authorization"),
        ("api-key", "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0", "api-key"),
        ("api-key", "0123456789abcdef0123456789abcdef", "api-key"),
        ("x-api-key", "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJ4In0.c2ln-_", "x-api-key"),
    ],
)
async def test_a_token_of_entra_goes_where_azure_wants_it(kind: str, text: str, header: str) -> None:
    sent = dict((await static_key(kind, [Secret(text)]).authorize(REQUEST)).headers)

    assert sent == {"accept": "*/*", header: f"Bearer {text}" if header == "authorization" else text}


@pytest.mark.parametrize(
    "kind, keys", [("bearer", []), ("none", [Secret("canary-1")]), ("bearer", [Secret("")])]
)
async def test_no_key_or_no_kind_is_no_header(kind: str, keys: list[Secret]) -> None:
    assert await static_key(kind, keys).authorize(REQUEST) is REQUEST


def test_nothing_of_it_is_shown() -> None:
    assert "canary" not in repr(static_key("bearer", [Secret("canary-1")]))
