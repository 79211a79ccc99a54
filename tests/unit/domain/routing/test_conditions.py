from __future__ import annotations

from ccr.domain.routing.conditions import NOTHING_KNOWN, Conditions


def test_nothing_known_is_the_default() -> None:
    assert Conditions() == NOTHING_KNOWN
    assert NOTHING_KNOWN.routes is None
