from __future__ import annotations

import socket

from ccr.adapters.upstream.dial import Address, _interleaved

V4, V6 = socket.AF_INET, socket.AF_INET6


def test_families_alternate_beginning_with_the_first() -> None:
    addresses: list[Address] = [(V6, "a"), (V6, "b"), (V6, "c"), (V4, "d")]

    assert _interleaved(addresses) == [(V6, "a"), (V4, "d"), (V6, "b"), (V6, "c")]
    assert _interleaved([]) == []
