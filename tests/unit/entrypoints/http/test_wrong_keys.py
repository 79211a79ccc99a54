"""Bounded memory, whatever addresses come."""

from __future__ import annotations

import pytest

from ccr.entrypoints.http.wrong_keys import WrongKeys


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{n:x}" for n in range(1, 22)],
        ["::ffff:10.0.0.1", "10.0.0.1"] * 11,
        ["not an address"] * 21,
        [""] * 21,
    ],
)
def test_one_customer_is_one_address(addresses: list[str]) -> None:
    keys = WrongKeys(lambda: 0.0)

    assert [keys.came(address) for address in addresses[:20]] == [None] * 20
    assert keys.came(addresses[20]) == 60.0


def test_others_are_not_meant() -> None:
    keys = WrongKeys(lambda: 0.0)
    for _ in range(30):
        keys.came("10.0.0.1")

    assert keys.came("10.0.0.2") is None
    assert keys.came("2001:db8::1") is None


def test_no_flood_of_addresses_takes_more_memory_or_frees_the_last_one_heard() -> None:
    keys = WrongKeys(lambda: 0.0)
    for _ in range(21):
        keys.came("10.0.0.1")
    for number in range(10_000):
        keys.came(f"2001:db8:{number >> 8:x}:{number & 255:x}::1")
        if number % 1000 == 0:
            assert keys.came("10.0.0.1") is not None

    assert len(keys._seen) <= 4096
