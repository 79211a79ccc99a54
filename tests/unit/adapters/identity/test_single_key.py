from __future__ import annotations

import pytest

from ccr.adapters.identity.single_key import SingleKey
from ccr.application.ports.identity import Presented
from ccr.domain.access import LOCAL, Principal
from ccr.domain.secret import Secret

pytestmark = pytest.mark.anyio
KEY = "canary-key-of-the-gateway"


@pytest.mark.parametrize(
    "bearer, api_key, known",
    [
        (KEY, None, True),
        (None, KEY, True),
        (KEY, "wrong", True),
        ("wrong", KEY, True),
        (KEY, KEY, True),
        (None, None, False),
        ("", "", False),
        ("wrong", "wrong", False),
        (KEY[:-1], None, False),
        (KEY + " ", None, False),
        ("\udcff", "é", False),
    ],
)
async def test_either_credential_will_do(bearer: str | None, api_key: str | None, *, known: bool) -> None:
    principal = await SingleKey(Secret(KEY)).verify(Presented(bearer, api_key))

    assert (Principal("owner", admin=True) if known else None) == principal


@pytest.mark.parametrize("key", [None, Secret("")])
async def test_without_a_key_everybody_who_reaches_us_is_the_local_person(key: Secret | None) -> None:
    assert await SingleKey(key).verify(Presented("whatever", None)) == LOCAL


async def test_the_key_changes_at_once() -> None:
    identity = SingleKey(Secret(KEY))
    identity.configure(Secret("another"))

    assert await identity.verify(Presented(KEY, None)) is None
    assert await identity.verify(Presented("another", None)) is not None


def test_the_key_itself_is_not_kept() -> None:
    assert KEY not in repr(vars(SingleKey(Secret(KEY))))
